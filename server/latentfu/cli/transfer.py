"""``latentfu transfer``: a picture moved to where another one stands along a direction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, progress_bar

if TYPE_CHECKING:
    from latentfu.pipeline.editor import Editor, EditRequest


@click.command("transfer")
@options.picture_argument("image")
@options.picture_argument("exemplar")
@options.output_option("The picture that comes out; the ending names the format.")
@click.option("--along", multiple=True, required=True, metavar="NAME", help="A direction.")
@click.option(
    "--scale", type=click.FloatRange(-10, 10), default=1.0, show_default=True,
    help="How far of the way: 1 is where EXEMPLAR stands, 2 as far again.",
)  # fmt: skip
@click.option(
    "--identity", type=click.FloatRange(0, 1000), default=0.0, metavar="WEIGHT",
    help="Hold the person of IMAGE while the rest moves, e.g. 1.",
)  # fmt: skip
@options.choice_options
@options.blend_options
@json_option
def transfer_command(
    *,
    image: Path,
    exemplar: Path,
    output: Path,
    along: tuple[str, ...],
    scale: float,
    identity: float,
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
    """Give IMAGE as much of a direction as EXEMPLAR has, e.g. --along smile."""
    from dataclasses import replace

    from latentfu.cli.backend import common, open_editor
    from latentfu.cli.pictures import Picture, check_target, read_mask, read_picture, write_picture
    from latentfu.core.layer import Layer
    from latentfu.pipeline.apply_controls import EditOptions
    from latentfu.pipeline.editor import EditRequest

    picture, other = read_picture(image), read_picture(exemplar)
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    selection = read_mask(mask, picture) if mask else None
    choice = options.Choice(generator, inverter, aligner, selection, feather, psi, place)
    with progress_bar("Inverting", quiet=as_json) as progress:
        editor, name = open_editor(choice)
        request = EditRequest(Layer(picture.pixels), {}, generator=name, **common(choice))
        have = amounts(editor, request, along)
        want = amounts(editor, replace(request, layer=Layer(other.pixels), mask=None), along)
        targets = {n: have[n] + scale * (want[n] - have[n]) for n in along}
        ways = EditOptions(targets=targets, identity=identity)
        outcome = editor.edit(replace(request, ways=ways), progress)
    write_picture(output, Picture(outcome.layer.pixels, picture.profile))
    if as_json:
        print_json({"output": str(output), "from": have, "to": targets, "exemplar": want})
        return
    told = ", ".join(f"{n} from {have[n]:+.2f} to {targets[n]:+.2f}" for n in along)
    click.echo(f"{output}: {told}.")


def amounts(editor: Editor, request: EditRequest, along: tuple[str, ...]) -> dict[str, float]:
    """How much of each direction a layer holds; raises BadInputError for other controls."""
    from latentfu.core.control import check_strengths
    from latentfu.pipeline.apply_controls import Movers, reaching

    tools = editor.studio.tools(request)
    check_strengths(dict.fromkeys(along, 0.0), tools.controls)
    latent = editor.inversion(request)[1].inversion.latent
    movers, found = Movers(), {}
    for name in along:
        mover = reaching(movers.of(tools.controls[name]), tools.controls[name])
        found[name] = float(mover.amount(latent, tools.generator)[0])
    return found
