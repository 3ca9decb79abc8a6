"""Memory that rendering frees and needs again in the next moment."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_MOST_KEPT = 1 << 30


@cache
def keep_freed_pages() -> bool:
    """Let this process keep up to 1 GiB of freed memory; whether it could be arranged.

    A layer's features are tens of megabytes. glibc takes blocks of that size from the system
    and gives them back each time, and the system hands them out page by page, cleared: on a
    CPU that can cost more than the convolutions. Other systems' allocators keep such blocks
    anyway. It acts on the whole process and is done once, when a network is opened.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _MOST_KEPT))
