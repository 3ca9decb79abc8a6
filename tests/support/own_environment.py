"""A virtual environment and a home of a test's own, which see the packages of this one."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stranger:
    """A virtual environment, and a home of its own."""

    python: Path
    home: Path

    def run(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self.python), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment, timeout=300
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def latentfu(self, *arguments: str) -> Any:
        return json.loads(self.run("-P", "-m", "latentfu", *arguments, "--json").stdout)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LATENTFU_HOME": str(self.home)}


def make_environment(folder: Path) -> Stranger:
    """A new environment that sees this one's packages through a .pth file."""
    venv.create(folder / "venv", with_pip=False)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = folder / "venv" / scripts / ("python.exe" if os.name == "nt" else "python")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}, scheme="venv"))
    ours = sysconfig.get_path("purelib")
    # addsitedir, not a plain path: packages installed as editable hang on .pth files there
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return Stranger(python, folder / "home")
