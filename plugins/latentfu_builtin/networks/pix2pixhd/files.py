"""pix2pixHD networks as safetensors, and published state dicts turned into them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from latentfu import (
    BadInputError,
    ConvertedWeights,
    ForeignFile,
    file_sha256,
    find_metadata,
    read_tensors_and_metadata,
    tensors_of,
    write_tensors,
)
from torch import Tensor

from latentfu_builtin.networks.pix2pixhd.config import Config, config_of, is_pix2pixhd
from latentfu_builtin.networks.pix2pixhd.network import Pix2PixHD

if TYPE_CHECKING:
    from latentfu_builtin.pix2pixhd.adapter import LabelGenerator

ARCHITECTURE = "pix2pixhd"


def metadata_of(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty for other files."""
    return find_metadata(path)


def save_network(path: Path, network: Pix2PixHD, metadata: Mapping[str, str]) -> None:
    """Write a network with its config, whole or not at all."""
    notes = {**metadata, "architecture": ARCHITECTURE, "config": network.config.to_json()}
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    write_tensors(path, tensors, notes)


def open_network(path: Path, device: str) -> LabelGenerator:
    """The generator in a file; BadInputError naming a tensor that is missing or does not fit."""
    from latentfu_builtin.pix2pixhd.adapter import LabelGenerator

    tensors, notes = read_tensors_and_metadata(path)
    if notes.get("architecture") != ARCHITECTURE or "config" not in notes:
        raise BadInputError(f"{path} holds no pix2pixHD network.")
    network = filled(tensors, Config.from_json(notes["config"]), str(path)).to(device)
    return LabelGenerator(network, path.stem, file_sha256(path), notes.get("domain", "unknown"))


def filled(tensors: Mapping[str, Tensor], config: Config, source: str) -> Pix2PixHD:
    """A network of ``config`` with these weights, ready to draw."""
    network = Pix2PixHD(config)
    wanted = network.state_dict()
    for name, value in wanted.items():
        found = tensors.get(name)
        if found is None:
            raise BadInputError(f"{source} lacks {name}.")
        if found.shape != value.shape:
            raise BadInputError(
                f"{source} has {name} of shape {list(found.shape)}, expected {list(value.shape)}."
            )
    unknown = sorted(set(tensors) - set(wanted))
    if unknown:
        raise BadInputError(f"{source} has {unknown[0]}, which no such network has.")
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    return network.eval().requires_grad_(False)


def convert(foreign: ForeignFile) -> ConvertedWeights | None:
    """A published ``latest_net_G.pth`` (a plain state dict); None for anything else."""
    state = {
        name.removeprefix("module."): array
        for name, array in tensors_of(foreign.content).items()
        # Normalisations of old files count what they saw; nothing reads it.
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    shapes = {name: tuple(array.shape) for name, array in state.items()}
    if not is_pix2pixhd(shapes):
        return None
    config = config_of(shapes)
    filled({name: torch.tensor(array) for name, array in state.items()}, config, "This file")
    return ConvertedWeights(state, {"architecture": ARCHITECTURE, "config": config.to_json()})
