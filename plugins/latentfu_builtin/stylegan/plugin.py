"""What the StyleGAN family brings: its file format and its trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, ControlMaker, Generator, hookimpl

from latentfu_builtin.lazy import call_later
from latentfu_builtin.networks.stylegan import list_architectures

if TYPE_CHECKING:
    import click

_WORDS = ("title", "plus", "group", "author", "licence", "source")


def _make_format(architecture: str) -> CheckpointFormat:
    """The safetensors files of one architecture, as this project writes them."""

    def detect(path: Path) -> bool:
        from latentfu_builtin.networks.stylegan.files import architecture_of

        return architecture_of(path) == architecture

    def load(path: Path, device: str) -> Generator:
        from latentfu_builtin.networks.stylegan.styled_generator import open_generator_file

        return open_generator_file(architecture, path, device)

    title = architecture.replace("stylegan", "StyleGAN")
    return CheckpointFormat(architecture, f"{title}, safetensors", detect, load)


def _load_training_command(name: str) -> click.Command:
    """The command `name` of the trainer."""
    from latentfu_builtin.stylegan.training.cli import train_command

    return train_command.commands[name]


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Our own safetensors files."""
    return [_make_format(architecture) for architecture in list_architectures()]


@hookimpl
def latentfu_control_makers() -> list[ControlMaker]:
    """Directions of networks that learned from a renderer."""
    return [
        ControlMaker(
            "renderer",
            "What the renderer says of z",
            call_later("latentfu_builtin.stylegan.training.known_directions:make_known_direction"),
            {"renderer": "people", "name": "", **dict.fromkeys(_WORDS, "")},
        )
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu train pairs, generator, mapping, revive-factor, export and state."""

    def train(name: str, line: str, *, hidden: bool = False) -> Command:
        return Command(("train", name), line, lambda: _load_training_command(name), hidden)

    return [
        train("pairs", "Render pictures to train on."),
        train("generator", "Train a generator."),
        train("mapping", "Teach z what a renderer draws."),
        train("revive-factor", "Learn what was overlooked."),
        train("heed", "Deprecated: use revive-factor.", hidden=True),
        train("export", "Write a run's network."),
        train("state", "Write what training goes on from."),
    ]
