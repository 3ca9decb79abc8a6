"""Checking the safetensors files of networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from latentfu import find_metadata
from torch import Tensor


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


def architecture_of(path: Path) -> str:
    """What a weights file says of itself; empty for any other file."""
    return find_metadata(path).get("architecture", "")
