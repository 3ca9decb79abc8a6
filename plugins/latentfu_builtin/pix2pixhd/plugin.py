"""What pix2pixHD brings: its format, and a command that draws a map of labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, ConvertedWeights, ForeignFile, Generator, hookimpl

if TYPE_CHECKING:
    import click


def detect(path: Path) -> bool:
    """Whether ``path`` is a pix2pixHD network written by this project."""
    from latentfu_builtin.networks.pix2pixhd.files import ARCHITECTURE, metadata_of

    return metadata_of(path).get("architecture") == ARCHITECTURE


def load(path: Path, device: str) -> Generator:
    """The generator in ``path``."""
    from latentfu_builtin.networks.pix2pixhd.files import open_network

    return open_network(path, device)


def convert(foreign: ForeignFile) -> ConvertedWeights | None:
    """A published state dict."""
    from latentfu_builtin.networks.pix2pixhd.files import convert

    return convert(foreign)


def drawing() -> click.Command:
    """latentfu render labels."""
    from latentfu_builtin.pix2pixhd.cli import labels_command

    return labels_command


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Our own file, and the published one, which is imported."""
    return [CheckpointFormat("pix2pixhd", "pix2pixHD (maps of labels)", detect, load, convert)]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu render labels."""
    return [Command(("render", "labels"), "Draw a map of labels with pix2pixHD.", drawing)]
