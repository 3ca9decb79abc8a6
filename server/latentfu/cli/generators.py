"""``latentfu generators info`` and ``render``: all about one generator, and what it draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from latentfu.cli.output import json_option, print_json, print_table, progress_bar
from latentfu.core.errors import BadInputError
from latentfu.plugin_objects import Encoder, GeneratorSpec

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


_Content = dict[str, object]


@click.command("info")
@click.argument("name", required=False)
@json_option
def generators_info(name: str | None, as_json: bool) -> None:
    """All about generator NAME (the default one if left out).

    Resolution, latent spaces, layers, labels, memory, licence, where it came from, and what is
    installed for it: directions, deformations, encoders.
    """
    from latentfu.plugin_manager import get_registry, pick

    spec = pick(get_registry().installed(GeneratorSpec), name, "generator")
    from latentfu.pipeline.plugin_calls import load_generator
    from latentfu.protocol.replies import GeneratorReply, dump_named

    (described,) = dump_named(GeneratorReply, {spec.name: spec})
    content = {
        **described,
        "aligner": spec.aligner,
        **_installed_for(spec),
        **_describe_network(load_generator(spec, "cpu")),
    }
    if as_json:
        print_json(content)
        return
    _show(content)


def _installed_for(spec: GeneratorSpec) -> _Content:
    """Names of the controls and encoders that fit these weights."""
    from latentfu.plugin_manager import get_registry

    registry = get_registry()
    controls = registry.controls(spec)
    kinds = {name: control.kind for name, control in controls.items()}
    encoders = registry.installed(Encoder).values()
    fitting = [encoder.name for encoder in encoders if encoder.generator_id == spec.id]
    return {
        "controls": list(controls),
        **{
            f"{kind}s": [name for name, its in kinds.items() if its == kind]
            for kind in _order_kinds(kinds.values())
        },
        "encoders": fitting,
    }


def _order_kinds(kinds: Iterable[str]) -> list[str]:
    """Every kind of control once; those of our own are listed even where there is none."""
    ours = ("direction", "deformation")
    return [*ours, *sorted({*kinds} - {*ours})]


def _describe_network(generator: Generator) -> _Content:
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


def _show(content: _Content) -> None:
    """The same for people; the layers as a table below."""
    for word, value in _lines(content).items():
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


def _lines(content: _Content) -> dict[str, str]:
    """One line for each thing that is known."""
    shown: dict[str, object] = {
        word: content[word] for word in ("name", "title", "domain", "id", "network")
    }
    shown["resolution"] = f"{content['resolution']} px"
    shown["spaces"] = _describe_spaces(content)
    shown["labels"] = content["labels"] or "none"
    shown["memory"] = _describe_memory(content)
    shown["aligner"] = content["aligner"]
    words = [*content]
    for word in words[words.index("controls") + 1 : words.index("encoders") + 1]:
        names = content[word]
        assert isinstance(names, list)
        shown[word] = f"{len(names)}: {', '.join(names)}" if names else "none installed"
    shown["licence"] = content["licence"] or "not said"
    shown["source"] = content["description"] or "not said"
    return {word: str(value) for word, value in shown.items()}


def _describe_spaces(content: _Content) -> str:
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


def _describe_memory(content: _Content) -> str:
    """Weights, and the peak while rendering."""
    size, peak, numbers = (content[w] for w in ("weights_bytes", "render_bytes", "parameters"))
    if not isinstance(size, int):
        return "not shown by this network"
    said = f"{size / 1e6:.1f} MB of weights ({numbers:,} numbers)"
    if isinstance(peak, int):
        said += f"; about {peak / 1e6:.0f} MB at the peak while a picture is rendered"
    return said


@click.command("render")
@click.argument("name", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="How many pictures.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="The first one's; the next has the next.")  # fmt: skip
@click.option("--psi", type=click.FloatRange(-2, 2), default=0.7, show_default=True,
              help="Truncation: 1 as drawn, 0 the mean.")  # fmt: skip
@click.option("--cutoff", type=click.IntRange(0), help="Truncate only so many first layers.")
@click.option("--label", type=click.IntRange(0), help="Of a network with labels: 0 is the first.")
@click.option("--noise", type=click.Choice(["const", "random", "none"]), default="const",
              show_default=True, help="As trained, drawn anew, or zero.")  # fmt: skip
@json_option
def generators_render(
    *,
    name: str | None,
    output: Path,
    count: int,
    seed: int,
    psi: float,
    cutoff: int | None,
    label: int | None,
    noise: Literal["const", "random", "none"],
    as_json: bool,
) -> None:
    """Draw pictures with generator NAME (the default one if left out): PNG files in a folder.

    Each is named after its seed, which gives the same picture on every machine.
    """
    from functools import partial

    import torch

    from latentfu.cli.film import make_frame
    from latentfu.cli.pictures import PictureFile, write_picture
    from latentfu.pipeline.plugin_calls import load_generator
    from latentfu.pipeline.render import to_picture
    from latentfu.plugin_manager import get_registry, pick
    from latentfu.plugin_manager.running import call_plugin

    spec = pick(get_registry().installed(GeneratorSpec), name, "generator")
    _check_output(output)
    generator = load_generator(spec, "cpu")
    files = [output / f"{number:06}.png" for number in range(seed, seed + count)]
    with progress_bar("Drawing", quiet=as_json) as progress, torch.no_grad():
        for place, file in enumerate(files):
            progress(place / count, f"Picture {place + 1} of {count}")
            torch.manual_seed(seed + place)  # for random noise
            latent = _latent_of_seed(generator, seed + place, psi, cutoff, label)
            drawn = call_plugin(generator, "drew", partial(generator.render, latent, noise))
            picture = to_picture(drawn, generator)
            output.mkdir(exist_ok=True)
            write_picture(file, PictureFile(make_frame(picture)))
    if as_json:
        print_json({"generator": spec.name, "files": [str(file) for file in files]})
    else:
        click.echo(f"{output}: {count} pictures of {spec.name}.")


def _check_output(folder: Path) -> None:
    """BadInputError unless ``folder`` is one, or can be made where it is to be."""
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder} is a file: name a folder for the pictures.")
    if not folder.absolute().parent.is_dir():
        raise BadInputError(f"The folder {folder.absolute().parent} is not there: make it first.")


def _latent_of_seed(
    generator: Generator, seed: int, psi: float, cutoff: int | None, label: int | None
) -> Latent:
    """The latent of one seed; BadInputError for a label that the network does not have."""
    import torch

    labels = None
    if label is not None:
        if label >= generator.label_count:
            raise BadInputError(
                f"The generator {generator.name} has {generator.label_count or 'no'} labels"
                + (f": give 0 to {generator.label_count - 1}." if generator.label_count else ".")
            )
        labels = torch.eye(generator.label_count)[label][None]
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    return generator.map(z.to(generator.device), psi, cutoff, labels)
