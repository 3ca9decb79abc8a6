"""How much memory this process may have: beyond it an allocation fails, and nothing else.

Without a limit the system lets a program grow until it kills one, perhaps another. What counts is
what the process could write to (RLIMIT_DATA, Linux); macOS and Windows have no such limit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_UNKNOWN_MACHINE = 8 << 30
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


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


def measure_machine() -> int:
    """Bytes of memory that this machine, or the container that it is, has."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        whole = _UNKNOWN_MACHINE
    try:
        return min(whole, int(_CGROUP_LIMIT.read_text("ascii")))
    except (OSError, ValueError):  # "max", or no such group
        return whole
