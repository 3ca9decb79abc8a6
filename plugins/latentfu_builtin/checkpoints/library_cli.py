"""``remove`` and ``rename`` of a person's own directions, encoders and deformations."""

from __future__ import annotations

import json

import click
from latentfu import json_option

from latentfu_builtin.checkpoints.library_files import KINDS, find_in_library, rename_file

_GENERATOR = click.option(
    "--generator", metavar="NAME", help="For which network, where several have one of that name."
)


def make_remove_command(kind: str) -> click.Command:
    """The command that removes one of ``kind``."""

    @click.command("remove", help=f"Remove the {KINDS[kind]} NAME of your own.")
    @click.argument("name")
    @_GENERATOR
    @json_option
    def remove_command(name: str, generator: str | None, as_json: bool) -> None:
        file = find_in_library(kind, name, generator)
        size = file.megabytes
        file.path.unlink()
        if as_json:
            click.echo(json.dumps({"removed": name, "file": str(file.path)}))
        else:
            click.echo(f"Removed the {KINDS[kind]} {name} ({size:.1f} MB).")

    return remove_command


def make_rename_command(kind: str) -> click.Command:
    """The command that gives one of ``kind`` another name."""

    @click.command("rename", help=f"Give the {KINDS[kind]} NAME of your own the name NEW.")
    @click.argument("name")
    @click.argument("new")
    @_GENERATOR
    @json_option
    def rename_command(name: str, new: str, generator: str | None, as_json: bool) -> None:
        written = rename_file(find_in_library(kind, name, generator), new)
        if as_json:
            click.echo(json.dumps({"name": new, "file": str(written)}))
        else:
            click.echo(f"{name} is now called {new}.")

    return rename_command
