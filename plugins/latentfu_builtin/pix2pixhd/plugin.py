"""What pix2pixHD brings: its format, and a command that draws a map of labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import (
    CheckpointFormat,
    Command,
    ConvertedWeights,
    ForeignFile,
    Generator,
    hookimpl,
    tensors_of,
)

if TYPE_CHECKING:
    import click


def detect(path: Path) -> bool:
    """Whether ``path`` is a pix2pixHD network written by this project."""
    from latentfu_builtin.networks.pix2pixhd.network import ARCHITECTURE
    from latentfu_builtin.networks.stylegan.files import architecture_of

    return architecture_of(path) == ARCHITECTURE


def _load(path: Path, device: str) -> Generator:
    """The generator in ``path``."""
    from latentfu_builtin.networks.pix2pixhd.generator import open_network

    return open_network(path, device)


def convert_pix2pixhd(foreign: ForeignFile) -> ConvertedWeights | None:
    """A published ``latest_net_G.pth`` (a plain state dict); None for anything else."""
    import torch

    from latentfu_builtin.networks.pix2pixhd.network import (
        ARCHITECTURE,
        config_from_shapes,
        fill_network,
        is_pix2pixhd,
    )

    state = {
        name.removeprefix("module."): array
        for name, array in tensors_of(foreign.content).items()
        # Normalizations of old files count what they saw; nothing reads it.
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    shapes = {name: tuple(array.shape) for name, array in state.items()}
    if not is_pix2pixhd(shapes):
        return None
    config = config_from_shapes(shapes)
    tensors = {name: torch.tensor(array) for name, array in state.items()}
    fill_network(tensors, config, "This file")
    return ConvertedWeights(state, {"architecture": ARCHITECTURE, "config": config.to_json()})


def _load_labels_command() -> click.Command:
    """latentfu render labels."""
    from latentfu_builtin.pix2pixhd.cli import labels_command as command

    return command


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Our own file, and the published one, which is imported."""
    from latentfu_builtin.checkpoints.formats import ForeignFormat

    return [
        ForeignFormat(
            "pix2pixhd",
            "pix2pixHD (maps of labels)",
            detect,
            _load,
            convert_pix2pixhd,
            files="pix2pixHD `latest_net_G.pth`, global or with local enhancer "
            "([maps of labels](#maps-of-labels-pix2pixhd))",
            publisher="NVIDIA",
            told_by="`model.1.weight` of 7 x 7 and `conv_block`",
        )
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu render labels."""
    return [
        Command(("render", "labels"), "Draw a map of labels with pix2pixHD.", _load_labels_command)
    ]
