"""``latentfu plugins``: what is installed, what is broken and why, on and off."""

from __future__ import annotations

import dataclasses

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.errors import NotInstalledError


@click.command("list")
@json_option
def plugins_list(as_json: bool) -> None:
    """List plug-ins with where they come from, their state and what they bring."""
    from latentfu.plugin_manager import get_registry

    statuses = get_registry().statuses()
    if as_json:
        print_json({"plugins": [dataclasses.asdict(status) for status in statuses]})
        return
    rows = []
    for status in statuses:
        brings = "; ".join(f"{kind}: {', '.join(of)}" for kind, of in status.provides.items())
        told = status.reason or brings
        rows.append((status.name, status.state, status.version, status.origin, told))
    print_table(("name", "state", "version", "from", "brings, or the reason"), rows)


@click.command("doctor")
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Limit for each."
)
@json_option
@click.pass_context
def plugins_doctor(context: click.Context, seconds: float, as_json: bool) -> None:
    """Try each plug-in in a process of its own; names those that hang, crash or are slow.

    Exit code 1 when one is not well. No plug-in is imported into this process, so it works when
    one of them hangs everything else.
    """
    from latentfu.plugin_manager.doctor import examine_all

    findings = []
    for finding in examine_all(seconds):
        findings.append(finding)
        if not as_json:
            mark = click.style(f"{finding.state:<6}", fg="green" if finding.well else "red")
            click.echo(f"{mark} {finding.name} ({finding.origin}): {finding.message}")
    if as_json:
        print_json({"plugins": [dataclasses.asdict(finding) for finding in findings]})
    if not all(finding.well for finding in findings):
        context.exit(1)


@click.command("enable")
@click.argument("name")
@json_option
def plugins_enable(name: str, as_json: bool) -> None:
    """Switch plug-in NAME on again."""
    _switch(name, disabled=False, as_json=as_json)


@click.command("disable")
@click.argument("name")
@json_option
def plugins_disable(name: str, as_json: bool) -> None:
    """Switch plug-in NAME off: it is not imported any more."""
    _switch(name, disabled=True, as_json=as_json)


def _switch(name: str, disabled: bool, as_json: bool) -> None:
    """Nothing is imported here, so that a plug-in that hangs can be switched off."""
    from latentfu.plugin_manager.sources import all_sources, disabled_names, set_disabled

    known = [source.name for source in all_sources()]
    if name not in known and name not in disabled_names():
        raise NotInstalledError(
            f"There is no plug-in {name!r}; installed: {', '.join(known) or 'none'}."
        )
    changed = set_disabled(name, disabled)
    state = "disabled" if disabled else "enabled"
    if as_json:
        print_json({"name": name, "state": state, "changed": changed})
    elif changed:
        click.echo(f"{name} is {state} now; a running server takes note when it starts again.")
    else:
        click.echo(f"{name} was {state} already.")
