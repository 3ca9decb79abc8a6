"""Uploaded layers, each under the sha256 of its bytes; whoever has not been used for a day goes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from latentfu.core.errors import BadInputError, StorageError, TooLargeError
from latentfu.core.names import is_sha256
from latentfu.core.paths import cache_dir
from latentfu.protocol.pixels import (
    HEADER_BYTES,
    MAX_BODY_BYTES,
    PixelHeader,
    check_length,
    decode_header,
)
from latentfu.protocol.png import SIGNATURE, check_png_start, check_png_whole, read_png
from latentfu.storage.atomic import whole_file
from latentfu.storage.folder_quota import list_by_use, shrink_folder

_ENOUGH_TO_JUDGE = 33


class LayerUpload:
    """A body on its way to disk: judged by its first bytes, counted and hashed as it comes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._start = b""
        self._limit = MAX_BODY_BYTES
        self._judged = False
        self.received = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; raises BadInputError or TooLargeError as soon as it is clear."""
        self.received += len(chunk)
        if not self._judged:
            self._start += chunk[:_ENOUGH_TO_JUDGE]
            if len(self._start) >= _ENOUGH_TO_JUDGE:
                self._judge()
        if self.received > self._limit:
            raise TooLargeError("The body is longer than its picture can be: send just that.")
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self, path: Path) -> str:
        """Check the whole body, which lies at ``path``, and return its sha256."""
        self._judge()
        self._file.flush()
        if self.is_png:
            check_png_whole(path)  # decoded in the worker only
        else:
            check_length(decode_header(self._start), self.received)
        return self._hash.hexdigest()

    @property
    def is_png(self) -> bool:
        return self._start[:8] == SIGNATURE

    def _judge(self) -> None:
        self._judged = True
        if self.is_png:
            width, height = check_png_start(self._start)
            # Incompressible pixels cost a little more than raw; metadata gets a megabyte.
            self._limit = width * height * 4 * 17 // 16 + (1 << 20)
        else:
            self._limit = HEADER_BYTES + decode_header(self._start).pixel_bytes


class LayerStore:
    """A folder of layers by content."""

    upload = LayerUpload
    """What takes a body in."""

    def __init__(self, folder: Path, quota_bytes: int = 8 << 30) -> None:
        self.folder = self._folder = folder
        self._quota = quota_bytes
        self.in_use: Callable[[], Collection[str]] = tuple
        """Names that unfinished work needs: they are never removed to make room."""

    def path(self, name: str) -> Path:
        """Where the layer ``name`` (sha256, hex) lies or would lie."""
        if not is_sha256(name):
            raise BadInputError("A layer is named by its sha256: 64 hex digits in lower case.")
        return self._folder / name

    def has(self, name: str) -> bool:
        """Whether the layer is there; asking counts as use."""
        try:
            os.utime(self.path(name))
        except FileNotFoundError:
            return False
        except OSError:  # a folder that cannot be written may still hold it
            return self.path(name).is_file()
        return True

    def find(self, name: str) -> Path | None:
        """The file of a layer; None if it is gone."""
        return self.path(name) if self.has(name) else None

    @contextmanager
    def receive(self, name: str) -> Iterator[LayerUpload]:
        """Take a layer chunk by chunk; it appears under ``name`` only if whole and as named.

        The oldest layers that no work needs make room for it; raises StorageError where that is
        not enough.
        """
        target = self.path(name)
        if not self._folder.parent.is_dir():
            raise StorageError("The folder of layers is not there: see whether its disk is.")
        with whole_file(target, mode=0o600) as temporary:
            with temporary.open("wb") as file:
                upload = self.upload(file)
                yield upload
                digest = upload.finish(temporary)
            if digest != name:
                raise BadInputError("The body does not have the sha256 it was sent under.")
            self._make_room(upload.received)

    def _make_room(self, wanted: int) -> None:
        if shrink_folder(self._folder, self._quota, self.in_use()) > self._quota:
            raise StorageError(
                f"There is no room for this layer of {wanted >> 20} MB: {self._quota >> 20} MB of "
                "layers are kept, and work that waits needs them; try again when it is done."
            )

    def header(self, name: str) -> PixelHeader:
        """Size and channels (of a PNG: 4) without reading the pixels."""
        with self.path(name).open("rb") as file:
            start = file.read(_ENOUGH_TO_JUDGE)
        if start[:8] == SIGNATURE:
            return PixelHeader(*check_png_start(start), 4)
        return decode_header(start)

    def prune(self, keep: Collection[str], max_age_s: float = 86_400.0) -> int:
        """Remove layers unused for ``max_age_s``, then the oldest above the quota; how many."""
        if not self._folder.is_dir():
            return 0
        removed, total = 0, 0
        now = time.time()
        for file in reversed(list_by_use(self._folder)):
            total += file.size
            old = now - file.used / 1e9 > max_age_s or total > self._quota
            if old and file.path.name not in keep:
                file.path.unlink(missing_ok=True)
                total -= file.size
                removed += 1
        return removed


def read_pixels(path: Path) -> tuple[PixelHeader, bytes]:
    """The pixels of a stored pixel body or PNG; raises StorageError when the file is gone."""
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
            if start[:8] == SIGNATURE:
                return read_png(path)
            header = decode_header(start)
            pixels = file.read()
    except OSError as error:
        raise StorageError(f"Could not read a layer: {error.strerror or error}.") from error
    check_length(header, HEADER_BYTES + len(pixels))
    return header, pixels


MAX_LATENT_BYTES = 64 << 20
QUOTA_BYTES = 512 << 20


def latents_folder() -> Path:
    """Where what clients brought lies, each file under the sha256 of its bytes."""
    return cache_dir() / "latents"


def inversion_file(key: str) -> Path:
    """Where the inversion found under ``key`` lies, or would lie."""
    return cache_dir() / "inversions" / f"{key}.safetensors"


class LatentUpload(LayerUpload):
    """A latent on its way to disk: only counted and hashed."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; raises TooLargeError."""
        self.received += len(chunk)
        if self.received > MAX_LATENT_BYTES:
            raise TooLargeError("The latent is too large: at most 64 MiB are taken.")
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self, _path: Path) -> str:
        """The sha256 of the whole."""
        self._file.flush()
        return self._hash.hexdigest()


class LatentStore(LayerStore):
    """A folder of latents by content."""

    upload = LatentUpload

    def __init__(self) -> None:
        super().__init__(latents_folder(), QUOTA_BYTES)

    def find(self, name: str) -> Path | None:
        """The file of a latent that was brought, or of an inversion's key; None if it is gone."""
        return find_latent_file(name)


def find_latent_file(name: str) -> Path | None:
    """The file of a latent that a client brought, or that an inversion's report names.

    Args:
        name: the sha256 of its bytes, or the ``inversion_key`` of a report.

    Returns:
        A file for :func:`latentfu.load_inversion`; None if it is gone.

    Raises:
        BadInputError: the name is not 64 hex digits.
    """
    if not is_sha256(name):
        raise BadInputError("A latent's name is 64 hex digits: the inversion_key of a report.")
    for path in (latents_folder() / name, inversion_file(name)):
        if path.is_file():
            return path
    return None
