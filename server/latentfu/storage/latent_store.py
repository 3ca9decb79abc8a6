"""Latents that clients bring and fetch, as files by name; what is in them the worker checks."""

from __future__ import annotations

from pathlib import Path

from latentfu.core.errors import TooLargeError
from latentfu.core.paths import cache_dir
from latentfu.storage.layer_store import LayerStore, LayerUpload

MAX_LATENT_BYTES = 64 << 20
QUOTA_BYTES = 512 << 20


def latents_folder() -> Path:
    """Where what clients brought lies, each file under the sha256 of its bytes."""
    return cache_dir() / "latents"


def _inversion_file(key: str) -> Path:
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
        for path in (self.path(name), _inversion_file(name)):
            if path.is_file():
                return path
        return None
