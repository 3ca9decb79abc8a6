"""What the StyleGAN family brings: its file format and its trainer."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, Generator, hookimpl

if TYPE_CHECKING:
    import click


GENERATORS = "latentfu_builtin.networks.stylegan"
OPENERS = {
    "StyleGAN1": f"{GENERATORS}.stylegan1.generator:open_stylegan1",
    "StyleGAN2": f"{GENERATORS}.stylegan2.generator:open_stylegan2",
    "StyleGAN3": f"{GENERATORS}.stylegan3.generator:open_stylegan3",
}
"""By the architecture, which a file calls by the same name in small letters, what opens it."""


def make_format(family: str, opener: str) -> CheckpointFormat:
    """The safetensors files of one architecture, as this project writes them."""

    def detect(path: Path) -> bool:
        from latentfu_builtin.networks.stylegan.files import architecture_of

        return architecture_of(path) == family.lower()

    def load(path: Path, device: str) -> Generator:
        module, _, function = opener.partition(":")
        generator: Generator = getattr(import_module(module), function)(path, device)
        return generator

    return CheckpointFormat(family.lower(), f"{family}, safetensors", detect, load)


def load_training_command(name: str) -> click.Command:
    """The command `name` of the trainer."""
    from latentfu_builtin.stylegan.training.cli import train_command

    return train_command.commands[name]


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Our own safetensors files."""
    return [make_format(family, opener) for family, opener in OPENERS.items()]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu train pairs, generator, revive-factor, export and state."""

    def train(name: str, line: str) -> Command:
        return Command(("train", name), line, lambda: load_training_command(name))

    return [
        train("pairs", "Render pictures to train on."),
        train("generator", "Train a generator."),
        train("revive-factor", "Learn what was overlooked."),
        train("heed", "Deprecated: use revive-factor."),
        train("export", "Write a run's network."),
        train("state", "Write what training goes on from."),
    ]
