"""A process without a network: in a network namespace of its own, where the system allows one.

Linux alone has them. ``unshare`` of util-linux makes one without any right, in a user namespace in
which the user is who he was. Some systems forbid that to all but root: then nothing changes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

_WAYS = (
    ("--net",),  # root needs no more
    ("--user", "--map-current-user", "--net"),
)
_PATIENCE_S = 5.0


@cache
def no_network_prefix() -> tuple[str, ...]:
    """What stands before a command that is to have no network; empty where that cannot be had.

    The process keeps its number, its user, its files and its limits; it has no way to any address,
    this machine's own included.
    """
    tool = shutil.which("unshare") if sys.platform == "linux" else None
    for way in _WAYS if tool else ():
        prefix = (str(tool), *way, "--")
        if _works((*prefix, "true")):
            return prefix
    return ()


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
