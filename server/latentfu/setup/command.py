"""How a person calls this installation's ``latentfu``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def typed(words: str) -> str:
    """``latentfu WORDS`` as it can be typed here: with its folder if that is not in PATH."""
    program = Path(sys.executable).with_name(
        "latentfu.exe" if sys.platform == "win32" else "latentfu"
    )
    found = shutil.which("latentfu")
    if program.is_file() and (found is None or Path(found).resolve() != program.resolve()):
        return f"{program} {words}"
    return f"latentfu {words}"
