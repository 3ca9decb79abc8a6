"""``latentfu generators info``: all about one generator."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from latentfu import hookspecs as hooks
from latentfu.cli.listing import describe_generator
from latentfu.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from latentfu.core.generator import Generator

Content = dict[str, object]


@click.command("info")
@click.argument("name", required=False)
@json_option
def generators_info(name: str | None, as_json: bool) -> None:
    """All about generator NAME (the default one if left out).

    Resolution, latent spaces, layers, labels, memory, licence, where it came from, and what is
    installed for it: directions, deformations, encoders.
    """
    from latentfu.plugin_manager import get_registry, pick

    spec = pick(get_registry().installed(hooks.GeneratorSpec), name, "generator")
    content = {
        **describe_generator(spec),
        "aligner": spec.aligner,
        **installed_for(spec),
        **looked_into(spec.load("cpu")),
    }
    if as_json:
        print_json(content)
        return
    show(content)


def installed_for(spec: hooks.GeneratorSpec) -> Content:
    """Names of the controls and encoders that fit these weights."""
    from latentfu.plugin_manager import get_registry

    registry = get_registry()
    controls = registry.controls(spec)
    kinds = {name: control.kind for name, control in controls.items()}
    encoders = registry.installed(hooks.Encoder).values()
    fitting = [encoder.name for encoder in encoders if encoder.generator_id == spec.id]
    return {
        "controls": list(controls),
        "directions": [name for name, kind in kinds.items() if kind == "direction"],
        "deformations": [name for name, kind in kinds.items() if kind == "deformation"],
        "encoders": fitting,
    }


def looked_into(generator: Generator) -> Content:
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


def show(content: Content) -> None:
    """The same for people; the layers as a table below."""
    for word, value in lines(content).items():
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


def lines(content: Content) -> dict[str, str]:
    """One line for each thing that is known."""
    shown: dict[str, object] = {
        word: content[word] for word in ("name", "title", "domain", "id", "network")
    }
    shown["resolution"] = f"{content['resolution']} px"
    shown["spaces"] = sizes(content)
    shown["labels"] = content["labels"] or "none"
    shown["memory"] = memory(content)
    shown["aligner"] = content["aligner"]
    for word in ("directions", "deformations", "encoders"):
        names = content[word]
        assert isinstance(names, list)
        shown[word] = f"{len(names)}: {', '.join(names)}" if names else "none installed"
    shown["licence"] = content["licence"] or "not said"
    shown["source"] = content["description"] or "not said"
    return {word: str(value) for word, value in shown.items()}


def sizes(content: Content) -> str:
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


def memory(content: Content) -> str:
    """Weights, and the peak while rendering."""
    size, peak, numbers = (content[w] for w in ("weights_bytes", "render_bytes", "parameters"))
    if not isinstance(size, int):
        return "not shown by this network"
    said = f"{size / 1e6:.1f} MB of weights ({numbers:,} numbers)"
    if isinstance(peak, int):
        said += f"; about {peak / 1e6:.0f} MB at the peak while a picture is rendered"
    return said
