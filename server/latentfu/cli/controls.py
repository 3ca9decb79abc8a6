"""``latentfu controls`` and ``latentfu directions``: what ``--set`` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.control import Control
from latentfu.hookspecs import GeneratorSpec

generator_option = click.option("--generator", metavar="NAME", help="Default: the first listed.")

_FIELDS = (
    *("name", "title", "plus", "group", "kind", "minimum", "maximum", "unit"),
    *("layers", "author", "licence", "source"),
)


def describe_control(control: Control) -> dict[str, Any]:
    """The same words as ``GET /v1/controls``."""
    known = {**vars(control), "plus": control.positive_means}  # the name on the wire
    return {field: known[field] for field in _FIELDS}


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
    content = {**describe_control(control), "generator": spec.name, "facts": dict(control.facts)}
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
    chosen = [control for control in controls.values() if wanted(control)]
    if as_json:
        print_json({"generator": spec.name, word: [describe_control(item) for item in chosen]})
        return
    rows = [
        (
            item.name,
            f"{item.minimum:g}..{item.maximum:g}",
            item.positive_means,
            item.group,
            item.kind,
        )
        for item in chosen
    ]
    print_table(("name", "range", "plus means", "group", "kind"), rows)
