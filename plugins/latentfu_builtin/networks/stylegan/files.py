"""Reading and checking safetensors files of networks."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or nothing: to a temporary file beside it, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def read_metadata(path: Path | str) -> dict[str, str]:
    """The metadata of a safetensors file, without reading its tensors."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} can not be read as a safetensors file: {error}") from error


def check_tensors(
    path: Path | str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """ValueError naming the first tensor of `found` that does not fit `expected`."""
    for name in sorted(expected):
        if name not in found:
            raise ValueError(f"{path} lacks the tensor {name}")
        if found[name].shape != expected[name].shape:
            raise ValueError(
                f"{path} has {name} with the shape {list(found[name].shape)}, "
                f"expected {list(expected[name].shape)}"
            )
        if not found[name].is_floating_point():
            raise ValueError(f"{path} has {name} as {found[name].dtype}, expected a float type")
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise ValueError(f"{path} has a tensor that the network does not know: {unknown[0]}")


def weights_id(path: Path) -> str:
    """The sha256 (hex) of a weights file, computed again only when the file changes."""
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _sha256(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def architecture_of(path: Path) -> str:
    """What a weights file says of itself; empty for any other file."""
    try:
        return read_metadata(path).get("architecture", "")
    except ValueError:
        return ""
