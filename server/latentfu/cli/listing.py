"""What is installed: ``latentfu generators``, ``inverters``, ``controls`` and ``directions``.

With ``--json`` the words are those of the HTTP interface: the same models are printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.control import Control
from latentfu.hookspecs import GeneratorSpec
from latentfu.protocol.replies import ControlReply, GeneratorReply, InverterReply, dump_named

if TYPE_CHECKING:
    from latentfu.core.generator import Generator

Content = dict[str, object]


@click.command("list")
@json_option
def generators_list(as_json: bool) -> None:
    """List the generators; the first is the default."""
    from latentfu.plugin_manager import get_registry

    found = get_registry().generators()
    if as_json:
        print_json({"generators": dump_named(GeneratorReply, found)})
        return
    specs = found.values()
    rows = [(s.name, s.domain, f"{s.resolution} px", s.id[:12], s.title) for s in specs]
    print_table(("name", "domain", "side", "id", "title"), rows)


@click.command("list")
@json_option
def inverters_list(as_json: bool) -> None:
    """List the inversion methods; the first is the default."""
    from latentfu.plugin_manager import get_registry

    found = get_registry().inverters()
    if as_json:
        print_json({"inverters": dump_named(InverterReply, found)})
        return
    rows = [(m.name, ", ".join(m.spaces), m.title, m.description) for m in found.values()]
    print_table(("name", "spaces", "title", "description"), rows)


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
    spec = pick(registry.generators(), generator, "generator")
    return spec, registry.controls(spec)


def _list(
    generator: str | None, as_json: bool, word: str, wanted: Callable[[Control], bool]
) -> None:
    spec, controls = _controls(generator)
    chosen = {name: control for name, control in controls.items() if wanted(control)}
    if as_json:
        print_json({"generator": spec.name, word: dump_named(ControlReply, chosen)})
        return
    rows = [
        (item.name, f"{item.minimum:g}..{item.maximum:g}", item.plus, item.group, item.kind)
        for item in chosen.values()
    ]
    print_table(("name", "range", "plus means", "group", "kind"), rows)


@click.command("info")
@click.argument("name", required=False)
@json_option
def generators_info(name: str | None, as_json: bool) -> None:
    """All about generator NAME (the default one if left out).

    Resolution, latent spaces, layers, labels, memory, licence, where it came from, and what is
    installed for it: directions, deformations, encoders.
    """
    from latentfu.plugin_manager import get_registry, pick

    spec = pick(get_registry().generators(), name, "generator")
    (described,) = dump_named(GeneratorReply, {spec.name: spec})
    content = {
        **described,
        "aligner": spec.aligner,
        **list_installed_for(spec),
        **describe_network(spec.load("cpu")),
    }
    if as_json:
        print_json(content)
        return
    show_generator(content)


def list_installed_for(spec: GeneratorSpec) -> Content:
    """Names of the controls and encoders that fit these weights."""
    from latentfu.plugin_manager import get_registry

    registry = get_registry()
    controls = registry.controls(spec)
    kinds = {name: control.kind for name, control in controls.items()}
    fitting = [e.name for e in registry.encoders().values() if e.generator_id == spec.id]
    return {
        "controls": list(controls),
        "directions": [name for name, kind in kinds.items() if kind == "direction"],
        "deformations": [name for name, kind in kinds.items() if kind == "deformation"],
        "encoders": fitting,
    }


def describe_network(generator: Generator) -> Content:
    """What only the opened network tells; numbers of bytes are None where it shows no weights."""
    weights = generator.weights()
    numbers = sum(tensor.numel() for tensor in weights.values())
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    return {
        "network": generator.family or type(generator).__name__,
        "spaces": list(generator.spaces),
        "z_dim": generator.z_dim,
        "w_dim": generator.w_dim,
        "num_ws": generator.num_ws,
        "labels": generator.label_count,
        "parameters": numbers or None,
        "weights_bytes": size or None,
        "render_bytes": generator.rendering_bytes(),
        "layers": [asdict(layer) for layer in generator.layers],
    }


def show_generator(content: Content) -> None:
    """The same for people; the layers as a table below."""
    for word, value in describe_lines(content).items():
        click.echo(f"{word:<13} {value}")
    layers = content["layers"]
    if isinstance(layers, list) and layers:
        click.echo()
        head = ("layer", "name", "side", "channels", "style", "weight", "noise")
        rows = [
            (str(place), each["name"], f"{each['resolution']} px", str(each["channels"]),
             str(each["style"]), each["weight"], each["noise"])
            for place, each in enumerate(layers)
        ]  # fmt: skip
        print_table(head, rows)


def describe_lines(content: Content) -> dict[str, str]:
    """One line for each thing that is known."""
    shown: dict[str, object] = {
        word: content[word] for word in ("name", "title", "domain", "id", "network")
    }
    shown["resolution"] = f"{content['resolution']} px"
    shown["spaces"] = describe_spaces(content)
    shown["labels"] = content["labels"] or "none"
    shown["memory"] = describe_memory(content)
    shown["aligner"] = content["aligner"]
    for word in ("directions", "deformations", "encoders"):
        names = content[word]
        assert isinstance(names, list)
        shown[word] = f"{len(names)}: {', '.join(names)}" if names else "none installed"
    shown["licence"] = content["licence"] or "not said"
    shown["source"] = content["description"] or "not said"
    return {word: str(value) for word, value in shown.items()}


def describe_spaces(content: Content) -> str:
    """The latent spaces with the shape of a code in each."""
    shapes = {
        "z": f"[{content['z_dim']}]",
        "w": f"[{content['w_dim']}]",
        "w+": f"[{content['num_ws']}, {content['w_dim']}]",
        "w++": f"[{content['num_ws']}, {content['w_dim']}]",
    }
    spaces = content["spaces"]
    assert isinstance(spaces, list)
    return ", ".join(f"{space} {shapes.get(space, '')}" for space in spaces)


def describe_memory(content: Content) -> str:
    """Weights, and the peak while rendering."""
    size, peak, numbers = (content[w] for w in ("weights_bytes", "render_bytes", "parameters"))
    if not isinstance(size, int):
        return "not shown by this network"
    said = f"{size / 1e6:.1f} MB of weights ({numbers:,} numbers)"
    if isinstance(peak, int):
        said += f"; about {peak / 1e6:.0f} MB at the peak while a picture is rendered"
    return said
