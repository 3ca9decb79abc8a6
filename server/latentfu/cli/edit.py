"""``latentfu edit``: move controls on a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, progress_bar

if TYPE_CHECKING:
    from latentfu.pipeline.apply_controls import EditOptions


@click.command("edit")
@options.picture_argument("image")
@options.output_option("The edited picture; the ending names the format.")
@click.option(
    "--set", "sets", multiple=True, type=options.Strength(), metavar="NAME=NUMBER",
    help="A control and its strength, e.g. smile=2 (repeatable).",
)  # fmt: skip
@options.ways_options
@options.choice_options
@options.blend_options
@json_option
def edit_command(
    *,
    image: Path,
    output: Path,
    sets: tuple[tuple[str, float], ...],
    generator: str | None,
    inverter: str | None,
    aligner: str | None,
    place: options.Place,
    mask: Path | None,
    feather: float,
    psi: float,
    local: bool,
    ways: EditOptions | None,
    as_json: bool,
) -> None:
    """Edit IMAGE with the controls that `latentfu controls list` names.

    A running server does the work (its networks are warm), else this process.
    """
    edits = options.strengths(sets)
    targets = dict(ways.targets) if ways else {}
    if not edits and not targets:
        raise click.UsageError("Give --set smile=2, or --to smile=1.")
    from latentfu.cli.backend import place as working_place
    from latentfu.cli.pictures import Picture, check_target, read_mask, read_picture, write_picture
    from latentfu.core.layer import Layer

    picture = read_picture(image)
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    selection = read_mask(mask, picture) if mask else None
    choice = options.Choice(generator, inverter, aligner, selection, feather, psi, place, ways)
    with progress_bar("Editing", quiet=as_json) as progress:
        layer = Layer(picture.pixels)
        done = working_place(local, choice).edit(layer, edits, choice, progress)
    write_picture(output, Picture(done.layer.pixels, picture.profile))
    if as_json:
        print_json({"output": str(output), "place": done.place, "report": done.report})
    else:
        told = " ".join(f"{name}={strength:g}" for name, strength in (edits | targets).items())
        click.echo(f"{output}: {told} (inversion {done.report.get('psnr', 0):.1f} dB).")
