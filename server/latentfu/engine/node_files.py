"""Networks on the machines of a cluster: brought to each once, kept, and checked each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.core.paths import cache_dir, make_private
from latentfu.storage.atomic import keep_if_locked, write_whole
from latentfu.storage.folder_quota import shrink_folder
from latentfu.storage.safetensors_file import file_sha256

_PAUSE_S = 0.2
MOST_BYTES = 16 << 30
"""Of networks on one machine; those used longest ago make room, earlier where the disk is full."""


def keep_node_file(sha256: str, name: str, fetch: Callable[[], memoryview]) -> Path:
    """A file of these bytes in this machine's private cache, fetched where it is not there.

    Args:
        sha256: of the bytes, hex.
        name: of the file; its ending tells its format.
        fetch: gives the bytes; called by one of the machine's workers, the others wait for it.

    Returns:
        The file, in a folder that only this user can read.

    Raises:
        StorageError: what came is something else, or the disk is full.
    """
    folder = make_private(cache_dir() / "engine" / sha256)
    path = folder / name
    if _is_whole(path, sha256):
        path.touch()  # the one used longest ago goes first
        return path
    lock = folder / "lock"
    lock.touch(mode=0o600)
    while (held := keep_if_locked(lock.open("rb+"))) is None:
        time.sleep(_PAUSE_S)
    with closing(held):
        if not _is_whole(path, sha256):
            content = fetch()
            _make_room(len(content), name)
            write_whole(path, bytes(content), mode=0o600)
            if not _is_whole(path, sha256):
                path.unlink()
                raise StorageError(
                    f"{name} came to this machine with other bytes than it was sent with: run the "
                    "same command again."
                )
    return path


def _make_room(wanted: int, name: str) -> None:
    """Remove what was used longest ago, so that so many bytes more are within the limit."""
    shrink_folder(cache_dir() / "engine", MOST_BYTES - wanted, ("lock", name), "*/*")


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256
