"""Which layers and latents a user of a studio's server has sent: nobody else sees or uses them.

The bytes lie in one store, by content; beside it each user has a folder of empty files, one for
each body that came from him. Whoever knows the sha256 of another's picture has not got the picture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.core.paths import make_private
from latentfu.storage.layer_store import LayerStore, LayerUpload


class HeldStore:
    """What of ``store`` belongs to ``owner``, who may have at most ``quota_bytes`` there."""

    def __init__(self, store: LayerStore, owner: str, quota_bytes: int) -> None:
        self._store = store
        self._folder = _held_folder(store) / owner
        self._quota = quota_bytes

    def has(self, name: str) -> bool:
        """Whether the owner has sent it and it is still there; asking counts as use."""
        self._store.path(name)  # refuses what is no sha256
        if not (self._folder / name).is_file() or not self._store.has(name):
            return False
        try:
            os.utime(self._folder / name)
        except OSError:  # a folder that cannot be written may still hold it
            return (self._folder / name).is_file()
        return True

    def find(self, name: str) -> Path | None:
        """Its file; None if it is gone, or never came from the owner."""
        return self._store.path(name) if self.has(name) else None

    @contextmanager
    def receive(self, name: str) -> Iterator[LayerUpload]:
        """Take it chunk by chunk, also where another user has sent it: only who sends it has it."""
        with self._store.receive(name) as upload:
            yield upload
            self._make_room(name, upload.received)
        try:
            make_private(self._folder)
            (self._folder / name).touch(0o600)
        except OSError as error:
            raise StorageError(f"Could not write {self._folder}: {error.strerror}.") from error

    @property
    def size_bytes(self) -> int:
        """How much the owner has there."""
        return sum(size for _, size, _ in self._list())

    def _make_room(self, name: str, wanted: int) -> None:
        """Let go of what was used longest ago; raises StorageError where that is not enough."""
        held = [each for each in self._list() if each[2].name != name]
        total = wanted + sum(size for _, size, _ in held)
        needed = self._store.in_use()
        for _, size, mark in held:
            if total <= self._quota:
                break
            if mark.name not in needed:
                mark.unlink(missing_ok=True)
                total -= size
        if total > self._quota:
            raise StorageError(
                f"There is no room for these {wanted >> 20} MB: you may have {self._quota >> 20} "
                "MB here, and your work that waits needs them; try again when it is done."
            )

    def _list(self) -> list[tuple[int, int, Path]]:
        """When each was used, its bytes, and its mark; that used longest ago first."""
        found = []
        for mark in self._folder.glob("*"):
            try:
                size = self._store.path(mark.name).stat().st_size
                found.append((mark.stat().st_mtime_ns, size, mark))
            except FileNotFoundError:
                continue
        return sorted(found)


def forget_lost(stores: Iterable[LayerStore]) -> None:
    """Remove the marks of what is no longer in its store."""
    for store in stores:
        for mark in _held_folder(store).glob("*/*"):
            if not store.path(mark.name).exists():
                mark.unlink(missing_ok=True)


def forget_user(stores: Iterable[LayerStore], owner: str) -> None:
    """Remove all marks of a user."""
    for store in stores:
        shutil.rmtree(_held_folder(store) / owner, ignore_errors=True)


def _held_folder(store: LayerStore) -> Path:
    return store.folder.with_name(f"{store.folder.name}.held")
