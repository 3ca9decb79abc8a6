"""What this package brings: formats of other projects, and the commands that import them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, InstallableNetwork, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

COMMANDS = {
    "import": "Read a checkpoint of another project.",
    "export": "Write an imported network to a file.",
    "remove": "Remove an imported network.",
    "download": "Fetch a public network.",
}


def _load_command(name: str) -> click.Command:
    """The command ``latentfu generators NAME``."""
    from latentfu_builtin.checkpoints import cli

    command: click.Command = getattr(cli, f"{name}_command")
    return command


LIBRARY = {"directions": "direction", "encoders": "encoder", "deformations": "deformation"}


def _load_library_command(kind: str, name: str) -> click.Command:
    """The command ``latentfu KIND remove`` or ``rename``."""
    from latentfu_builtin.checkpoints import cli

    make = cli.make_remove_command if name == "remove" else cli.make_rename_command
    return make(kind)


@hookimpl
def latentfu_checkpoint_formats() -> Iterable[CheckpointFormat]:
    """Formats of other projects; each is imported, none is opened as it is."""
    from latentfu_builtin.checkpoints.converters import list_formats

    return list_formats()


@hookimpl
def latentfu_commands() -> list[Command]:
    """What is done with networks, and with the files that a person has for them."""
    networks = [
        Command(("generators", name), line, lambda name=name: _load_command(name))  # type: ignore[misc]
        for name, line in COMMANDS.items()
    ]
    lines = {
        "remove": "Remove the {} NAME of your own.",
        "rename": "Give the {} NAME another name.",
    }
    files = [
        Command((kind, name), line.format(word), partial(_load_library_command, kind, name))
        for kind, word in LIBRARY.items()
        for name, line in lines.items()
    ]
    return [*networks, *files]


@hookimpl
def latentfu_installable_networks() -> list[InstallableNetwork]:
    """Each public network whose address is known, for the server and GIMP."""
    from latentfu_builtin.checkpoints.installable import list_installable

    return list_installable()
