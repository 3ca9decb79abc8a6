"""Folders that may take so many bytes: the files used longest ago make room.

Before a disk is full, too: there nothing could be written any more, new work least of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

LEAST_FREE = 256 << 20
"""Bytes that stay free on the disk of a folder; of a small disk an eighth."""


class StoredFile(NamedTuple):
    """A file of a folder: when it was used last, in nanoseconds since 1970, and its bytes."""

    used: int
    size: int
    path: Path


def list_by_use(folder: Path, pattern: str = "*") -> list[StoredFile]:
    """The files of a folder, that used longest ago first; one that goes meanwhile is left out."""
    found = []
    for path in folder.glob(pattern):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        found.append(StoredFile(state.st_mtime_ns, state.st_size, path))
    return sorted(found)


def shrink_folder(folder: Path, limit: int, keep: Collection[str] = (), pattern: str = "*") -> int:
    """Remove the files used longest ago until the others take at most ``limit`` bytes.

    Less than that where the disk would have less free than LEAST_FREE.

    Args:
        folder: Of files only.
        limit: In bytes.
        keep: Names that stay. Hidden files, which are being written, count and stay as well.
        pattern: Of the names that are meant.

    Returns:
        The bytes that are left: above ``limit`` where what stays takes more.
    """
    files = list_by_use(folder, pattern)
    total = sum(file.size for file in files)
    limit = min(limit, total + _measure_spare(folder))
    for file in files:
        if total <= limit:
            break
        if file.path.name not in keep and not file.path.name.startswith("."):
            file.path.unlink(missing_ok=True)
            total -= file.size
    return total


def _measure_spare(folder: Path) -> int:
    """Bytes that may still be written to a folder's disk; below 0 where too many were."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # it is away, and then nothing is removed from it
        return 0
    return disk.free - min(LEAST_FREE, disk.total // 8)
