"""Folders that may take so many bytes: the files used longest ago make room."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple


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
    for file in files:
        if total <= limit:
            break
        if file.path.name not in keep and not file.path.name.startswith("."):
            file.path.unlink(missing_ok=True)
            total -= file.size
    return total
