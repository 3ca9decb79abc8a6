"""A control group of Linux with little memory, for programs that a test starts in it."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryGroup:
    """A group's folder."""

    folder: Path

    def run(self, command: Sequence[str | Path], home: Path) -> subprocess.CompletedProcess[str]:
        """A program in the group, ended by the system where it takes more than there is."""
        return subprocess.run(
            ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', self.folder, *command],
            env={**os.environ, "LATENTFU_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )


def _place_group() -> tuple[Path, str] | None:
    """Where a group can be made, and the file that holds its limit."""
    for version, limit in ((_ROOT / "memory", "memory.limit_in_bytes"), (_ROOT, "memory.max")):
        folder = version / f"latentfu-{secrets.token_hex(4)}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if os.access(folder / limit, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
            return folder, limit
        folder.rmdir()
    return None


@contextmanager
def memory_group(megabytes: int) -> Iterator[MemoryGroup]:
    """A group that allows so much; the test is skipped where none can be made."""
    placed = _place_group()
    if placed is None:
        pytest.skip("needs root and control groups of memory that can be written")
    folder, limit = placed
    try:
        (folder / limit).write_text(str(megabytes << 20))
        yield MemoryGroup(folder)
    finally:
        folder.rmdir()
