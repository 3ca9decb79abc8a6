"""What the StyleGAN family brings: its file format and its trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, Generator, hookimpl

if TYPE_CHECKING:
    import click


def detect(path: Path) -> bool:
    """Whether `path` is a StyleGAN2 network written by this project."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import holds_stylegan2

    return holds_stylegan2(path)


def load(path: Path, device: str) -> Generator:
    """The generator in `path`."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import open_weights

    return open_weights(path, device)


def detect_stylegan3(path: Path) -> bool:
    """Whether `path` is a StyleGAN3 network written by this project."""
    from latentfu_builtin.networks.stylegan.common import architecture_of

    return architecture_of(path) == "stylegan3"


def load_stylegan3(path: Path, device: str) -> Generator:
    """The generator in `path`."""
    from latentfu_builtin.networks.stylegan.stylegan3.generator import open_stylegan3

    return open_stylegan3(path, device)


def detect_stylegan1(path: Path) -> bool:
    """Whether `path` is a StyleGAN1 network written by this project."""
    from latentfu_builtin.networks.stylegan.common import architecture_of

    return architecture_of(path) == "stylegan1"


def load_stylegan1(path: Path, device: str) -> Generator:
    """The generator in `path`."""
    from latentfu_builtin.networks.stylegan.stylegan1.generator import open_stylegan1

    return open_stylegan1(path, device)


def training(name: str) -> click.Command:
    """The command `name` of the trainer."""
    from latentfu_builtin.stylegan.training.cli import train_command

    return train_command.commands[name]


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Our own safetensors files."""
    return [
        CheckpointFormat("stylegan1", "StyleGAN1, safetensors", detect_stylegan1, load_stylegan1),
        CheckpointFormat("stylegan2", "StyleGAN2, safetensors", detect, load),
        CheckpointFormat("stylegan3", "StyleGAN3, safetensors", detect_stylegan3, load_stylegan3),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu train pairs, generator, heed, export and state."""
    return [
        Command(("train", "pairs"), "Render pictures to train on.", lambda: training("pairs")),
        Command(("train", "generator"), "Train a generator.", lambda: training("generator")),
        Command(("train", "heed"), "Learn what was overlooked.", lambda: training("heed")),
        Command(("train", "export"), "Write a run's network.", lambda: training("export")),
        Command(("train", "state"), "Write what training goes on from.", lambda: training("state")),
    ]
