"""``latentfu gimp``: put the plug-in where GIMP 3 looks, and find out why its menu is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentfu.cli.output import json_option, print_json, state_mark

if TYPE_CHECKING:
    from latentfu.setup.gimp_checks import Check


@click.group("gimp", help="Install, check or remove the GIMP 3 plug-in.")
def gimp_group() -> None:
    """The group; its commands are below."""


@gimp_group.command("install")
@click.option(
    "--force-version", metavar="3.X", help="Place it for this GIMP even if none is found."
)
@json_option
def install_command(force_version: str | None, as_json: bool) -> None:
    """Put the plug-in where each GIMP 3 on this machine looks."""
    from latentfu.setup.gimp_placement import install_plugin

    placed = install_plugin(force_version)
    if as_json:
        content = {
            "written": [str(folder) for folder in placed.written],
            "unchanged": [str(folder) for folder in placed.unchanged],
            "notes": placed.notes,
        }
        print_json(content)
        return
    for folder in placed.written:
        click.echo(f"The plug-in is in {folder}: start GIMP again, then Filters > Latent-Fu.")
    for folder in placed.unchanged:
        click.echo(f"The plug-in was already in {folder}.")
    for text in placed.notes:
        click.echo(text)


@gimp_group.command("doctor")
@json_option
@click.pass_context
def gimp_doctor_command(context: click.Context, as_json: bool) -> None:
    """Say why the menu entry is missing (exit code 1 when something is wrong)."""
    from latentfu.setup.doctor import examine_gimp

    checks = examine_gimp()
    if as_json:
        print_json({"checks": [vars(check) for check in checks]})
    else:
        _show(checks)
    if any(check.state == "wrong" for check in checks):
        context.exit(1)


@gimp_group.command("uninstall")
@json_option
def uninstall_command(as_json: bool) -> None:
    """Take the plug-in out of every GIMP 3."""
    from latentfu.setup.gimp_placement import uninstall_plugin

    removed = uninstall_plugin()
    if as_json:
        print_json({"removed": [str(folder) for folder in removed]})
        return
    _say_removed(removed)


def _say_removed(removed: Sequence[Path]) -> None:
    for folder in removed:
        click.echo(f"Removed {folder}.")
    if not removed:
        click.echo("The plug-in was in no GIMP 3 folder.")


def _show(checks: Sequence[Check]) -> None:
    for check in checks:
        click.echo(f"{state_mark(check.state)}{check.name:<13} {check.message}")
        if check.remedy:
            click.echo(f"{'':<19} -> {check.remedy}")
    faults = sum(check.state == "wrong" for check in checks)
    if faults:
        click.echo(f"{faults} {'thing is' if faults == 1 else 'things are'} wrong: see the arrows.")
    else:
        click.echo("Nothing is wrong. If the menu is still missing, start GIMP again.")
