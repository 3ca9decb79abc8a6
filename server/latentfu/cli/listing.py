"""What is installed: ``latentfu generators``, ``inverters``, ``controls`` and ``directions``.

With ``--json`` the words are those of the HTTP interface: the same models are printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.control import Control
from latentfu.plugin_objects import GeneratorSpec, Inverter

Content = dict[str, object]


@click.command("list")
@json_option
def generators_list(as_json: bool) -> None:
    """List the generators; the first is the default (see latentfu generators default)."""
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_manager.default_choice import describe_default

    found = get_registry().installed(GeneratorSpec)
    default = next(iter(found), "")
    note = describe_default(found, default)
    if note:
        click.echo(note, err=True)
    if as_json:
        from latentfu.protocol.replies import GeneratorReply, dump_named, mark_default

        rows = mark_default(dump_named(GeneratorReply, found))
        print_json({"generators": rows})
        return
    lines = [
        (s.name, "default" if s.name == default else "", s.domain, f"{s.resolution} px",
         s.id[:12], s.title)
        for s in found.values()
    ]  # fmt: skip
    print_table(("name", "", "domain", "side", "id", "title"), lines)


@click.command("list")
@click.option("--generator", metavar="NAME", help="Open it and say which of them work for it.")
@json_option
def inverters_list(generator: str | None, as_json: bool) -> None:
    """List the inversion methods; with --generator the default first, and why some do not work."""
    rows = _find_inverters(generator)
    if as_json:
        print_json({"inverters": rows})
        return
    lines = [
        (row["name"], ", ".join(row["spaces"]), row["title"], row["misfit"] or row["description"])
        for row in rows
    ]
    print_table(("name", "spaces", "title", "description"), lines)


def _find_inverters(generator: str | None) -> list[dict[str, Any]]:
    if generator is None:
        from latentfu.plugin_manager import get_registry
        from latentfu.protocol.replies import InverterReply, dump_named

        return dump_named(InverterReply, get_registry().installed(Inverter))
    from latentfu.pipeline.editor import Editor

    return Editor().list_inverters(generator)


generator_option = click.option("--generator", metavar="NAME", help="Default: the first listed.")


@click.command("list")
@generator_option
@json_option
def controls_list(generator: str | None, as_json: bool) -> None:
    """List what can be set on a generator: directions and deformations."""
    _list(generator, as_json, "controls", lambda control: True)


@click.command("list")
@generator_option
@json_option
def directions_list(generator: str | None, as_json: bool) -> None:
    """List a generator's directions in latent space."""
    _list(generator, as_json, "directions", lambda control: control.kind == "direction")


@click.command("show")
@click.argument("name")
@generator_option
@json_option
def directions_show(name: str, generator: str | None, as_json: bool) -> None:
    """All about direction NAME: what plus means, its range, who made it and from what."""
    from latentfu.plugin_manager import pick

    spec, controls = _controls(generator)
    directions = {key: item for key, item in controls.items() if item.kind == "direction"}
    control = pick(directions, name, "direction")
    from latentfu.protocol.replies import ControlReply, dump_named

    (described,) = dump_named(ControlReply, {control.name: control})
    content = {**described, "generator": spec.name, "facts": dict(control.facts)}
    if as_json:
        print_json(content)
        return
    for word, value in content.items():
        click.echo(f"{word:<10} {value if value is not None else 'all'}")


def _controls(generator: str | None) -> tuple[GeneratorSpec, Mapping[str, Control]]:
    from latentfu.plugin_manager import get_registry, pick

    registry = get_registry()
    spec = pick(registry.installed(GeneratorSpec), generator, "generator")
    return spec, registry.controls(spec)


def _list(
    generator: str | None, as_json: bool, word: str, wanted: Callable[[Control], bool]
) -> None:
    spec, controls = _controls(generator)
    chosen = {name: control for name, control in controls.items() if wanted(control)}
    if as_json:
        from latentfu.protocol.replies import ControlReply, dump_named

        print_json({"generator": spec.name, word: dump_named(ControlReply, chosen)})
        return
    rows = [
        (
            item.name,
            f"{item.minimum:g}..{item.maximum:g}" if item.widget == "slider" else _tell(item),
            item.positive_means,
            item.group,
            item.kind,
        )
        for item in chosen.values()
    ]
    print_table(("name", "range", "plus means", "group", "kind"), rows)


def _tell(control: Control) -> str:
    """What a control that is no slider can be set to, for a column."""
    return ", ".join(control.choices) or control.widget
