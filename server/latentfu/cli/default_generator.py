"""``latentfu generators default``: the network that works where none is named."""

from __future__ import annotations

import click

from latentfu.cli.output import json_option, print_json
from latentfu.plugin_objects import GeneratorSpec


@click.command("default")
@click.argument("name", required=False)
@click.option("--clear", is_flag=True, help="Take the choice back: the first installed is used.")
@json_option
def generators_default(name: str | None, clear: bool, as_json: bool) -> None:
    """Make NAME the network that works where none is named; without NAME say which it is.

    It counts at once for the command line, Python, the server and GIMP.
    """
    if name is not None and clear:
        raise click.UsageError("Give a NAME or --clear, not both.")
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_manager.default_choice import (
        DEFAULT_GENERATOR,
        describe_default,
        read_default_generator,
    )
    from latentfu.plugin_manager.set_default import write_default_generator

    if name is not None or clear:
        write_default_generator(name)
    found = get_registry().installed(GeneratorSpec)
    used, chosen = next(iter(found), ""), read_default_generator()
    if as_json:
        print_json({"generator": used or None, "chosen": chosen or None})
        return
    told = describe_default(found, used)
    if chosen != (name or "") and (name is not None or clear):
        told = f"It is kept, but {DEFAULT_GENERATOR.variable} says {chosen}, which comes first."
    elif not told and not used:
        told = "No network is installed."
    elif not told:
        told = f"{used} is the default." if chosen else f"None is chosen: {used} is used."
    click.echo(told)
