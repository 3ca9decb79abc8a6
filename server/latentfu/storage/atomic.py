"""Files that are whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentfu.core.errors import StorageError


@contextmanager
def whole_file(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it becomes ``path``, else it is removed.

    Raises StorageError, in one sentence, when the disk is full or the folder can not be written;
    what stood at ``path`` before is then still there.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"Could not write {path}: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new, never half."""
    with whole_file(path, mode) as temporary:
        temporary.write_bytes(data)
