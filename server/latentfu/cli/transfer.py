"""``latentfu transfer``: a picture moved to where another one stands along a direction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_fit, print_json, progress_bar
from latentfu.protocol.requests import LIMITS


@click.command("transfer")
@options.picture_argument("image")
@options.picture_argument("exemplar")
@options.output_option("The picture that comes out; the ending names the format.")
@click.option("--along", multiple=True, metavar="NAME", help="A direction (repeatable).")
@click.option(
    "--attributes", metavar="NAME,...", default="",
    help="Groups of directions, e.g. expression,hair; controls list names them.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(["directions", "mapping"]), default="directions",
    show_default=True,
    help="mapping: by conditional mappings that were trained for the attributes.",
)  # fmt: skip
@click.option(
    "--scale", type=click.FloatRange(*LIMITS["scale"]), default=1.0, show_default=True,
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
    attributes: str,
    method: str,
    scale: float,
    identity: float,
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Give IMAGE as much of something as EXEMPLAR has, e.g. --along smile.

    With --attributes expression,light all directions of these groups are moved; with --method
    mapping each group is given over by its conditional mapping (latentfu train
    conditional-mapping) instead.
    """
    from latentfu.cli.backend import choose_backend, collect_fields
    from latentfu.cli.pictures import check_target, read_picture_file, write_picture
    from latentfu.core.layer import Layer
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import TransferRequest, build_request

    picture, other, pictures = read_picture_file(image), read_picture_file(exemplar), PictureStore()
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    common = collect_fields(pictures, picture, mask, fields)
    common["source"] = pictures.add(Layer(other.pixels))
    groups = [name.strip() for name in attributes.split(",") if name.strip()]
    how = {
        "along": list(along), "attributes": groups, "method": method, "scale": scale,
        "identity": identity,
    }  # fmt: skip
    request = build_request(TransferRequest, **common, **how)
    with progress_bar("Inverting", quiet=as_json) as progress:
        backend = choose_backend(where, fields.get("generator"))
        done = backend.run(request, pictures, progress)
    write_picture(output, picture.edited(done.layer.pixels))
    moves = done.report.get("moves") or {}
    if as_json:
        told = {"from": "have", "to": "goal", "exemplar": "exemplar"}
        amounts = {key: {n: moves[n][field] for n in moves} for key, field in told.items()}
        print_json({"output": str(output), "place": done.place, **amounts, "report": done.report})
        return
    print_fit(done.report)
    ways = [f"{n} from {moves[n]['have']:+.2f} to {moves[n]['goal']:+.2f}" for n in moves]
    whole = [name for name in along if name not in moves]
    whole += groups if method == "mapping" else []
    ways += [f"{', '.join(whole)} as in {exemplar}"] if whole else []
    click.echo(f"{output}: {', '.join(ways)}.")
