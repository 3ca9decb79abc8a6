"""A network as one safetensors file: tensors, and the config as metadata. Never a pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from latentfu import read_tensors_and_metadata, write_tensors
from torch import Tensor

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.mapped_network import MappedNetwork, StyleGAN2

ARCHITECTURE = "stylegan2"
M = TypeVar("M", bound="MappedNetwork")


def save_network(
    path: Path | str,
    net: StyleGAN2,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a generator's weights as `dtype`, with its config and `metadata` (text only)."""
    tensors = {
        name: value.detach().to("cpu", dtype).contiguous()
        for name, value in sorted(net.state_dict().items())
    }
    notes = {"domain": "unknown", "licence": "unknown", **net.metadata, **(metadata or {})}
    notes.update(architecture=ARCHITECTURE, config=net.config.to_json())
    write_tensors(path, tensors, notes)


def load_network(path: Path | str, device: torch.device | str = "cpu") -> StyleGAN2:
    """The StyleGAN2 that a file describes; see `load_as`."""
    from latentfu_builtin.networks.stylegan.mapped_network import StyleGAN2
    from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config

    return load_as(path, ARCHITECTURE, lambda c: StyleGAN2(StyleGAN2Config.from_json(c)), device)


def load_as(
    path: Path | str,
    architecture: str,
    build: Callable[[str], M],
    device: torch.device | str = "cpu",
) -> M:
    """Build the generator that a file describes, float32, in evaluation mode, gradients off.

    `build` makes the network from the config's JSON. Raises ValueError with one sentence when
    the file is of another architecture or a tensor is missing, unknown or of a wrong shape;
    BadInputError or StorageError when it cannot be read.
    """
    tensors, metadata = read_tensors_and_metadata(path)
    if metadata.get("architecture") != architecture or "config" not in metadata:
        raise ValueError(f"{path} holds no {architecture} network")
    net = build(metadata["config"])
    expected = net.state_dict()
    check_tensors(path, expected, tensors)
    net.load_state_dict({name: value.float() for name, value in tensors.items()})
    net.metadata = metadata
    return net.to(device).eval().requires_grad_(False)


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
