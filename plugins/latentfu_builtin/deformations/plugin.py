"""What parameter deformations bring: commands to find, keep and import them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentfu import Command, hookimpl

if TYPE_CHECKING:
    import click


def _command(name: str) -> click.Command:
    from latentfu_builtin.deformations import cli

    command: click.Command = getattr(cli, f"{name}_command")
    return command


def _train() -> click.Command:
    from latentfu_builtin.deformations.training.cli import train_command

    return train_command


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu deformations ...``."""
    return [
        Command(
            ("deformations", "discover"),
            "Find deformations of a layer.",
            lambda: _command("discover"),
        ),
        Command(("deformations", "train"), "Train those that are easy to recognise.", _train),
        Command(("deformations", "keep"), "Keep a found one by name.", lambda: _command("keep")),
        Command(("deformations", "import"), "Take in published files.", lambda: _command("import")),
        Command(
            ("deformations", "download"),
            "Fetch a set that the authors published.",
            lambda: _command("download"),
        ),
        Command(("deformations", "list"), "List a generator's.", lambda: _command("list")),
    ]
