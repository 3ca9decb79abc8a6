"""What has come of a download so far: on disk, hashed as it grows, held by one process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from latentfu.core.errors import StorageError
from latentfu.storage.atomic import lock_or_fail

_PIECE = 1 << 20


class PartialFile:
    """``TARGET.part`` and what is known of it; a context that closes the file and keeps it.

    ``size``: bytes that have come. ``validator``: the ETag or date of the version they are of;
    ``total``: bytes of that version, None where it was not said. Raises StorageError when another
    process is fetching the same file, OSError for a disk that is full or cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")
        self.validator = ""
        self.total: int | None = None
        self.size = 0
        self.hash = hashlib.sha256()

    def __enter__(self) -> Self:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.held()
        while not self.in_place():  # another process finished with it in between
            self.file.close()
            self.file = self.held()
        return self

    def held(self) -> BinaryIO:
        """The file, open and locked."""
        file = self.path.open("ab+")
        try:
            lock_or_fail(file.fileno())
        except (BlockingIOError, PermissionError) as error:
            file.close()
            raise StorageError(
                f"{self.target.name} is being fetched by another process: wait for it."
            ) from error
        except OSError:
            pass  # a file system without locks
        return file

    def in_place(self) -> bool:
        """Whether the open file still has its name: it may be the whole file by now."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if os.name != "nt":  # as long as it is locked
            self.remove_empty()
        self.file.close()
        if os.name == "nt":  # which removes no open file
            self.remove_empty()

    def remove_empty(self) -> None:
        """Leave nothing behind where nothing came."""
        if not self.size:
            for path in (self.path, self.note):
                path.unlink(missing_ok=True)

    def fit(self, address: str, trusted: bool) -> bool:
        """Take up what an earlier call left; whether there is anything.

        Without a validator only what is checked by its hash in the end (``trusted``) is kept.
        """
        known: dict[str, object] = {}
        with suppress(OSError, ValueError):
            read = json.loads(self.note.read_text("utf-8"))
            known = read if isinstance(read, dict) else {}
        self.validator = str(known.get("validator") or "")
        same = known.get("address") == address
        if not ((same and self.validator) or trusted):
            self.restart()
            return False
        if not same:
            self.validator = ""
        self.file.seek(0)
        while data := self.file.read(_PIECE):
            self.hash.update(data)
            self.size += len(data)
        return self.size > 0

    def remember(self, address: str, validator: str, total: int | None) -> None:
        """Note of which version the bytes are."""
        self.validator, self.total = validator, total
        known = {"address": address, "validator": validator, "total": total}
        self.note.write_text(json.dumps(known), "utf-8")

    def write(self, data: bytes) -> None:
        """Append bytes; they are on disk when the process is killed."""
        self.file.write(data)
        self.file.flush()
        self.hash.update(data)
        self.size += len(data)

    def check_room(self, total: int | None) -> None:
        """StorageError when the disk cannot take the rest."""
        free = shutil.disk_usage(self.target.parent).free
        if total is not None and total - self.size > free:
            raise StorageError(
                f"{self.target.name} needs {(total - self.size) / 1e6:.0f} MB and "
                f"{self.target.parent} has {free / 1e6:.0f} MB left: make room and try again."
            )

    def restart(self) -> None:
        """Forget what has come."""
        self.file.truncate(0)
        self.hash, self.size = hashlib.sha256(), 0
        self.validator, self.total = "", None

    def digest(self) -> str:
        """sha256 (hex) of what has come."""
        return self.hash.hexdigest()

    def finish(self) -> None:
        """The whole file gets its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()  # Windows renames no open file
        self.path.replace(self.target)
        self.note.unlink(missing_ok=True)
