"""``latentfu transfer``: a picture moved to where another one stands along a direction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_fit, print_json, progress_bar
from latentfu.protocol.requests import LIMITS

if TYPE_CHECKING:
    from latentfu.pipeline.editor import Editor
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest


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
    "--identity", type=click.FloatRange(*LIMITS["identity"]), default=0.0, metavar="WEIGHT",
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
    mask: Path | None,
    local: bool,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Give IMAGE as much of a direction as EXEMPLAR has, e.g. --along smile."""
    from latentfu.cli.backend import collect_fields, open_editor
    from latentfu.cli.pictures import PictureFile, check_target, read_picture_file, write_picture
    from latentfu.core.layer import Layer
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, build_request

    picture, other, pictures = read_picture_file(image), read_picture_file(exemplar), PictureStore()
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    common = collect_fields(pictures, picture, mask, fields)
    plain = build_request(EditRequest, **common)
    with progress_bar("Inverting", quiet=as_json) as progress:
        editor, name = open_editor(fields.get("generator"))
        plain = plain.model_copy(update={"generator": name})
        second = {"layer": pictures.add(Layer(other.pixels)), "mask": None}
        have = _read_amounts(editor, plain, pictures, along)
        want = _read_amounts(editor, plain.model_copy(update=second), pictures, along)
        targets = {n: have[n] + scale * (want[n] - have[n]) for n in along}
        moved = build_request(EditRequest, **common, targets=targets, identity=identity)
        moved = moved.model_copy(update={"generator": name})
        outcome = editor.edit(moved, pictures, progress)
    write_picture(output, PictureFile(outcome.layer.pixels, picture.profile))
    report = outcome.report.to_wire()
    if as_json:
        moved_to = {"from": have, "to": targets, "exemplar": want}
        print_json({"output": str(output), **moved_to, "report": report})
        return
    print_fit(report)
    told = ", ".join(f"{n} from {have[n]:+.2f} to {targets[n]:+.2f}" for n in along)
    click.echo(f"{output}: {told}.")


def _read_amounts(
    editor: Editor, request: EditRequest, pictures: PictureStore, along: tuple[str, ...]
) -> dict[str, float]:
    """How much of each direction a layer holds; raises BadInputError for other controls."""
    from latentfu.core.control import check_strengths
    from latentfu.pipeline.apply_controls import read_amount, readable_effect
    from latentfu.pipeline.cache import ControlCache

    resolved = editor.generators.resolve(request)
    check_strengths(dict.fromkeys(along, 0.0), resolved.controls)
    latent = editor.find_inversion(request, pictures)[1].inversion.latent
    cache, found = ControlCache(), {}
    for name in along:
        control = resolved.controls[name]
        loaded = cache.get(control, resolved.generator)
        effect = readable_effect(control, loaded, resolved.generator)
        found[name] = float(read_amount(control, effect, latent, resolved.generator)[0])
    return found
