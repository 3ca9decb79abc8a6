"""What this package brings: ``latentfu setup`` and its bundles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from latentfu import Command, InstallableNetwork, LatentFuError, hookimpl

from latentfu_builtin.lazy import later

if TYPE_CHECKING:
    import click

_HERE = "latentfu_builtin.bundles.cli"


def _load_setup_command(name: str) -> click.Command:
    """The command ``latentfu setup NAME``."""
    from latentfu_builtin.bundles.cli import make_setup_command

    return make_setup_command(name)


@hookimpl
def latentfu_commands() -> list[Command]:
    """One command for each bundle, and two for all."""
    from latentfu_builtin.bundles.catalogue import list_bundles

    try:
        titles = {one.name: f"{one.title}." for one in list_bundles().values()}
    except LatentFuError:  # a damaged bundles.toml: `setup list` says what is wrong with it
        titles = {}
    return [
        Command(("setup", "list"), "List the bundles.", later(f"{_HERE}:list_command")),
        Command(("setup", "remove"), "Remove a bundle.", later(f"{_HERE}:remove_bundle_command")),
        *(
            Command(("setup", name), title, partial(_load_setup_command, name))
            for name, title in titles.items()
            if name not in ("list", "remove")
        ),
    ]


@hookimpl
def latentfu_installable_networks() -> list[InstallableNetwork]:
    """Each bundle, for the server and GIMP."""
    from latentfu_builtin.bundles.installable import list_installable_bundles

    return list_installable_bundles()
