"""``program.json``: tells the plug-in which Python starts the server."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import latentfu
from latentfu.core.errors import StorageError
from latentfu.storage.atomic import write_whole
from latentfu.storage.paths import config_dir, make_private


@dataclass(frozen=True)
class Program:
    """``python``: the interpreter that has latentfu installed. ``version``: latentfu's."""

    python: Path
    version: str


def program_path() -> Path:
    """Where the plug-in looks for it; mode 0600."""
    return config_dir() / "program.json"


def write_program(placed: list[Path]) -> None:
    """Name this interpreter, and the copies of the plug-in that belong to it."""
    make_private(config_dir())
    content = {
        "python": sys.executable,
        "version": latentfu.__version__,
        "plug_ins": [str(folder) for folder in placed],
    }
    write_whole(program_path(), json.dumps(content, indent=1).encode() + b"\n", mode=0o600)


def read_program() -> Program:
    """Raises FileNotFoundError when there is none, StorageError when it is damaged."""
    try:
        content = json.loads(program_path().read_text(encoding="utf-8"))
        return Program(Path(content["python"]), str(content["version"]))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{program_path()} can not be read ({error}): run `latentfu gimp install` again."
        ) from error
