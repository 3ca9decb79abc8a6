"""How much memory this process may have: beyond it an allocation fails, and nothing else.

Without a limit the system lets a program grow until it kills one, perhaps another. What counts is
what the process could write to (RLIMIT_DATA, Linux); macOS and Windows have no such limit.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_UNKNOWN_MACHINE = 8 << 30
_CGROUPS = Path("/sys/fs/cgroup")
SHARE = 0.9
"""Of the machine's memory that work on the processor may take: the rest is for other programs."""


_UNTOUCHED = 384 << 20
"""What torch and its libraries map and never write to: it counts for the limit and takes nothing.

470 of 720 MB, with one network open.
"""


def limit_memory(most: int | None) -> bool:
    """Let allocations beyond ``most`` bytes fail; None: only what the system itself limits.

    Programs that are started have the same limit until they lift it. False where there is none.
    """
    if sys.platform != "linux":
        return False
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if most is None else most
    if hard != resource.RLIM_INFINITY and most is not None:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return True


@contextlib.contextmanager
def limited_memory(most: int) -> Iterator[None]:
    """:func:`limit_memory` for a while: what calls a server goes on without the server's limit."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit_memory(most)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def limit_to_machine() -> None:
    """Let allocations fail a little before the machine's memory, or its container's, is full.

    An allocation that fails is a sentence; a program that the system kills says nothing. Not for a
    process that works on a graphics card, whose driver maps far more than it uses.
    """
    limit_memory(int(SHARE * measure_machine()) + _UNTOUCHED)


def measure_machine() -> int:
    """Bytes of memory that this machine, or the container that it is, has."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        whole = _UNKNOWN_MACHINE
    return min([whole, *_list_group_limits()])


def _list_group_limits() -> list[int]:
    """What the control groups of this process allow, in bytes: each, and those that it lies in."""
    try:
        lines = Path("/proc/self/cgroup").read_text("ascii").splitlines()
    except (OSError, ValueError):
        lines = []
    files = [_CGROUPS / "memory.max", _CGROUPS / "memory/memory.limit_in_bytes"]
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        groups = Path(path.lstrip("/"))
        for group in (groups, *groups.parents):
            if not controllers:  # version 2
                files += [_CGROUPS / at / group / "memory.max" for at in ("", "unified")]
            elif "memory" in controllers.split(","):
                files.append(_CGROUPS / "memory" / group / "memory.limit_in_bytes")
    return [limit for file in files if (limit := _read_limit(file)) is not None]


def _read_limit(file: Path) -> int | None:
    """The number in a group's file; None where it is not there, or says "max"."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def give_back_freed() -> bool:
    """Give the system the freed pages that malloc keeps, also those between what is used.

    False where there were none, or malloc is not asked for it (it is glibc's).
    """
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    return trim is not None and bool(trim(0))
