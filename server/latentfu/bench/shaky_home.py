"""A home on a small disk of its own, that can be full or gone, under a clock that can be set.

Disk and mounts need Linux and root; elsewhere the home is a plain folder and only the clock is
set. The clock is that of Python's ``time``, in every process that is started below it: a namespace
of time has no clock of the day, and the machine's own belongs to everybody on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

_BYTES = 256 << 20
_CLOCK = '''"""Moves the clock of the day by the seconds in a file."""
import os
import time

_file, _now, _now_ns = os.environ["LATENTFU_CHAOS_CLOCK"], time.time, time.time_ns


def _moved():
    try:
        with open(_file, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


time.time = lambda: _now() + _moved()
time.time_ns = lambda: _now_ns() + 1_000_000_000 * _moved()
'''


class ShakyHome:
    """``path``: where the program's settings, data and cache lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._disk, self._place = folder / "disk", folder / "place"
        self.path = self._place / "home"
        self._clock = folder / "clock"
        for each in (self._disk, self._place, folder / "start"):
            each.mkdir()
        (folder / "start" / "sitecustomize.py").write_text(_CLOCK, "utf-8")
        self.is_mounted = _has_mounts() and self._mount()
        self.path.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        """For the processes that live here."""
        known = os.environ.get("PYTHONPATH")
        start = str(self._folder / "start")
        return {
            "LATENTFU_HOME": str(self.path),
            "LATENTFU_CHAOS_CLOCK": str(self._clock),
            "PYTHONPATH": os.pathsep.join([start, known] if known else [start]),
        }

    def fill(self, seconds: float) -> bool:
        """The disk is full for so long; False where it is no disk of its own."""
        if not self.is_mounted:
            return False
        ballast = self._disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"\0" * (1 << 20))
        time.sleep(seconds)
        ballast.unlink()
        return True

    def leave(self, seconds: float) -> bool:
        """The home is unmounted for so long, whatever is open in it; False where it cannot be."""
        if not self.is_mounted or not _run("umount", "--lazy", str(self._place)):
            return False
        time.sleep(seconds)
        self._bind()
        return True

    def set_clock(self, seconds: int) -> None:
        """So far from the right time, from now on; negative: back."""
        self._clock.write_text(str(seconds), "ascii")

    def close(self) -> None:
        """Unmount it for good."""
        if self.is_mounted:
            _run("umount", "--lazy", str(self._place))
            _run("umount", "--lazy", str(self._disk))

    def _mount(self) -> bool:
        options = f"size={_BYTES}"
        if not _run("mount", "-t", "tmpfs", "-o", options, "latentfu", str(self._disk)):
            return False
        return self._bind()

    def _bind(self) -> bool:
        return _run("mount", "--bind", str(self._disk), str(self._place))


@contextlib.contextmanager
def make_shaky_home() -> Iterator[ShakyHome]:
    """A new one, in which this process lives too, with the right clock; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="latentfu-chaos-"))
    home = ShakyHome(folder)
    try:
        with mock.patch.dict(os.environ, home.environment):
            yield home
    finally:
        home.close()
        shutil.rmtree(folder, ignore_errors=True)


def _has_mounts() -> bool:
    if sys.platform != "linux" or shutil.which("mount") is None:
        return False
    return os.geteuid() == 0


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
