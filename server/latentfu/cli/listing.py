"""``latentfu generators`` and ``latentfu inverters``: what can be chosen by name."""

from __future__ import annotations

import click

from latentfu import hookspecs as hooks
from latentfu.cli.output import json_option, print_json, print_table


def describe_generator(spec: hooks.GeneratorSpec) -> dict[str, object]:
    """The same words as ``GET /v1/generators``."""
    fields = ("name", "title", "domain", "resolution", "id", "licence", "description")
    return {field: getattr(spec, field) for field in fields}


@click.command("list")
@json_option
def generators_list(as_json: bool) -> None:
    """List the generators; the first is the default."""
    from latentfu.plugin_manager import get_registry

    specs = list(get_registry().installed(hooks.GeneratorSpec).values())
    if as_json:
        print_json({"generators": [describe_generator(spec) for spec in specs]})
        return
    rows = [(s.name, s.domain, f"{s.resolution} px", s.id[:12], s.title) for s in specs]
    print_table(("name", "domain", "side", "id", "title"), rows)


@click.command("list")
@json_option
def inverters_list(as_json: bool) -> None:
    """List the inversion methods; the first is the default."""
    from latentfu.plugin_manager import get_registry

    found = list(get_registry().installed(hooks.Inverter).values())
    if as_json:
        content = [
            {
                "name": method.name,
                "title": method.title,
                "spaces": list(method.spaces),
                "description": method.description,
                "options": dict(method.options),
            }
            for method in found
        ]
        print_json({"inverters": content})
        return
    rows = [(m.name, ", ".join(m.spaces), m.title, m.description) for m in found]
    print_table(("name", "spaces", "title", "description"), rows)
