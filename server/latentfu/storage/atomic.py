"""Files that are whole or not there, and locks on open files.

A file is written beside its place and then renamed. The system lets go of a lock when its holder
dies, however it dies.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from latentfu.core.errors import BadInputError, StorageError

if TYPE_CHECKING:
    from PIL.Image import Image


@contextmanager
def whole_file(path: Path, mode: int | None = None, durable: bool = False) -> Iterator[Path]:
    """A context that gives a temporary path; on success it becomes ``path``, else it is removed.

    Nobody else can read the file while it is written.

    Args:
        path: where the file goes; what stood there before stays until the end.
        mode: the permissions; without one those of the file that is replaced, else what the
            umask leaves of 0666.
        durable: wait until the disk has it, so that no power cut leaves an empty file; for what
            took hours to make.

    Yields:
        The temporary path, in the same folder.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    temporary: Path | None = None
    held: IO[bytes] | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
        allowed = _create_private(temporary)
        held = _hold(temporary)
        if mode is None:
            mode = _permissions(path) if path.exists() else allowed
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"Could not write {path}: {error.strerror or error}.") from error
    finally:
        if held is not None:
            held.close()
        if temporary is not None:
            with suppress(OSError):  # a disk that became read-only keeps it
                temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes, mode: int | None = None, durable: bool = False) -> None:
    """Write a file so that a reader sees the old one or the new, never half.

    Args:
        path: where it goes.
        data: all of it.
        mode: the permissions, as for ``whole_file``.
        durable: wait until the disk has it.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with whole_file(path, mode, durable) as temporary:
        temporary.write_bytes(data)


def write_image(path: Path, image: Image, **saving: Any) -> None:
    """Write a Pillow picture as the kind of file that its name ends in, whole or not at all.

    Args:
        path: where it goes, e.g. sheet.png, sheet.jpg or sheet.webp.
        image: the picture.
        saving: what ``PIL.Image.Image.save`` takes for that kind, e.g. ``quality=88``.

    Raises:
        BadInputError: the name ends in nothing that Pillow writes.
        StorageError: the disk is full or the folder cannot be written.
    """
    from PIL import Image as Pillow

    kind = Pillow.registered_extensions().get(path.suffix.lower())
    if kind not in Pillow.SAVE:
        raise BadInputError(f"{path} must end in the name of a kind of picture, such as .png.")
    with whole_file(path) as temporary:
        image.save(temporary, kind, **saving)


_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{12}\.part")
_YOUNG_S = 5.0
"""A file may be there for a moment before it is locked."""
_swept: set[Path] = set()


def _hold(temporary: Path) -> IO[bytes] | None:
    """The open file, locked for as long as it is written; None where locks keep us out too."""
    return keep_if_locked(temporary.open("rb")) if os.name == "posix" else None


def _remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder; once for each process."""
    if folder in _swept or os.name != "posix":
        return
    _swept.add(folder)
    with suppress(OSError):
        for path in folder.iterdir():
            if _LEFTOVER.fullmatch(path.name) and time.time() - path.stat().st_mtime > _YOUNG_S:
                held = _hold(path)
                if held is not None:  # nobody writes it
                    held.close()
                    path.unlink(missing_ok=True)


def _create_private(path: Path) -> int:
    """Make an empty file that only its owner can read; give the mode the system would allow.

    The umask is seen in what it leaves: asking for it means setting it, for all threads.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    allowed = _permissions(path)
    path.chmod(0o600)
    return allowed


def _permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o777


def keep_if_locked(file: IO[bytes]) -> IO[bytes] | None:
    """The open file, locked until it is closed; None, and closed, when another holds its lock."""
    try:
        lock_or_fail(file.fileno())
    except OSError:
        file.close()
        return None
    return file


def lock_or_fail(descriptor: int) -> None:
    """Hold the lock of an open file until it is closed; OSError when another holds it."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
