"""Reading and checking safetensors files of networks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
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
