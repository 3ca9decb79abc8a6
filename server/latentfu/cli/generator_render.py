"""``latentfu generators render``: pictures that a generator draws by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from latentfu.cli.output import json_option, print_json, watched
from latentfu.core.errors import BadInputError

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


@click.command("render")
@click.argument("name", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option("--count", type=click.IntRange(1, 100_000), default=1, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="The first one's; the next has the next.")  # fmt: skip
@click.option("--psi", type=click.FloatRange(-2, 2), default=0.7, show_default=True,
              help="Truncation: 1 as drawn, 0 the mean.")  # fmt: skip
@click.option("--cutoff", type=click.IntRange(0), help="Truncate only so many first layers.")
@click.option("--label", type=click.IntRange(0), help="Of a network with labels: 0 is the first.")
@click.option("--noise", type=click.Choice(["const", "random", "none"]), default="const",
              show_default=True)  # fmt: skip
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
    import torch

    from latentfu.cli.film import to_levels
    from latentfu.cli.pictures import Picture, write_picture
    from latentfu.pipeline.render import to_picture
    from latentfu.plugin_manager import get_registry, pick

    spec = pick(get_registry().generators(), name, "generator")
    check_output(output)
    generator = spec.load("cpu")
    files = [output / f"{number:06}.png" for number in range(seed, seed + count)]
    with watched("Drawing", quiet=as_json) as progress, torch.no_grad():
        for place, file in enumerate(files):
            progress(place / count, f"Picture {place + 1} of {count}")
            torch.manual_seed(seed + place)  # for random noise
            latent = code(generator, seed + place, psi, cutoff, label)
            picture = to_picture(generator.render(latent, noise), generator)
            output.mkdir(exist_ok=True)
            write_picture(file, Picture(to_levels(picture)))
    if as_json:
        print_json({"generator": spec.name, "files": [str(file) for file in files]})
    else:
        click.echo(f"{output}: {count} pictures of {spec.name}.")


def check_output(folder: Path) -> None:
    """BadInputError unless ``folder`` is one, or can be made where it is to be."""
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder} is a file: name a folder for the pictures.")
    if not folder.absolute().parent.is_dir():
        raise BadInputError(f"The folder {folder.absolute().parent} is not there: make it first.")


def code(
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
