"""``latentfu mix``: styles of a second picture in a first one."""

from __future__ import annotations

from pathlib import Path

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, progress_bar


@click.command("mix")
@options.picture_argument("image")
@options.picture_argument("source")
@options.output_option("The mixed picture; the ending names the format.")
@click.option(
    "--layers", required=True, type=options.Layers(), metavar="FIRST-LAST",
    help="Layers taken from SOURCE, e.g. 4-7: low ones are shape, high ones are colour.",
)  # fmt: skip
@options.choice_options
@options.blend_options
@json_option
def mix_command(
    *,
    image: Path,
    source: Path,
    output: Path,
    layers: tuple[int, int],
    generator: str | None,
    inverter: str | None,
    aligner: str | None,
    place: options.Place,
    mask: Path | None,
    feather: float,
    psi: float,
    local: bool,
    as_json: bool,
) -> None:
    """Put the styles of SOURCE into IMAGE, everywhere or inside a mask."""
    from latentfu.cli.backend import place as working_place
    from latentfu.cli.pictures import Picture, check_target, read_mask, read_picture, write_picture
    from latentfu.core.layer import Layer

    picture, other = read_picture(image), read_picture(source)
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    selection = read_mask(mask, picture) if mask else None
    choice = options.Choice(generator, inverter, aligner, selection, feather, psi, place)
    with progress_bar("Mixing", quiet=as_json) as progress:
        layer, second = Layer(picture.pixels), Layer(other.pixels)
        done = working_place(local, choice).mix(layer, second, layers, choice, progress)
    write_picture(output, Picture(done.layer.pixels, picture.profile))
    if as_json:
        print_json({"output": str(output), "place": done.place, "report": done.report})
    else:
        click.echo(f"{output}: layers {layers[0]}-{layers[1]} of {source}.")
