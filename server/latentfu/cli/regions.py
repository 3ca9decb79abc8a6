"""``latentfu regions`` and ``latentfu controls regions``: where hair is, and where controls act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from latentfu.cli import options
from latentfu.cli.listing import generator_option
from latentfu.cli.output import json_option, print_json, print_table, progress_bar
from latentfu.core.errors import BadInputError


@click.command("regions")
@options.picture_argument("image")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Write a mask of the regions (white inside) or, if none is named, a colored map: PNG.",
)  # fmt: skip
@click.option(
    "--region", "names", multiple=True, metavar="NAME",
    help="A region such as hair (repeatable: all of them together).",
)  # fmt: skip
@click.option(
    "--control", "controls", multiple=True, metavar="NAME",
    help="Where a control such as smile acts (repeatable; joins the regions).",
)  # fmt: skip
@click.option("--mask", type=click.Path(path_type=Path), metavar="FILE", help="Only inside it.")
@options.place_options
@options.choice_options
@json_option
def regions_command(
    *,
    image: Path,
    output: Path | None,
    names: tuple[str, ...],
    controls: tuple[str, ...],
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Find the regions of the face in IMAGE: hair, skin, eyes, clothes and so on.

    The mask can be put on a layer in GIMP or given to `latentfu edit --mask`. A picture whose
    regions are not found surely is refused.
    """
    from latentfu.cli.backend import choose_backend, collect_fields
    from latentfu.cli.pictures import read_picture_file
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import RegionsRequest, build_request
    from latentfu.storage.atomic import write_image

    if output is not None and output.suffix.lower() != ".png":
        raise BadInputError(f"{output} must end in .png.")
    picture, pictures = read_picture_file(image), PictureStore()
    common = collect_fields(pictures, picture, mask, fields)
    request = build_request(RegionsRequest, regions=[*names], controls=[*controls], **common)
    with progress_bar("Looking for regions", quiet=as_json) as progress:
        done = choose_backend(where, fields.get("generator")).run(request, pictures, progress)
    if output is not None:
        from PIL import Image

        pixels = done.layer.pixels
        write_image(output, Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
    if as_json:
        print_json({"output": str(output) if output else None, "report": done.report})
        return
    report = done.report
    click.echo(f"{image}: regions found with a surety of {report['surety']:.2f}")
    print_table(
        ("region", "share"), [(row["name"], f"{row['share']:.1%}") for row in report["regions"]]
    )
    if controls:
        click.echo(f"{' and '.join(controls)}: {', '.join(report['shown'])}")


@click.command("regions")
@click.argument("names", nargs=-1, metavar="[CONTROL]...")
@generator_option
@json_option
def controls_regions(names: tuple[str, ...], generator: str | None, as_json: bool) -> None:
    """Say where each CONTROL acts (default: all): what changes in pictures with and without it.

    Measured once and kept. Edits of photographs are limited to these regions unless --region says
    otherwise.
    """
    from latentfu.pipeline.acting_regions import choose_parser
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.generator_pool import best_device
    from latentfu.protocol.requests import ControlsRequest

    editor = Editor(best_device())
    request = ControlsRequest(layer="0" * 64, generator=generator)
    resolved = editor.generators.resolve(request)
    parser = choose_parser(resolved.spec, photograph=True)
    if parser is None:
        raise BadInputError("No parser of regions is installed.")
    from latentfu.core.control import check_strengths

    check_strengths(dict.fromkeys(names, 0.0), resolved.controls)
    wanted, found = names or tuple(resolved.controls), {}
    with progress_bar("Measuring", quiet=as_json) as progress:
        for place, name in enumerate(wanted):
            progress(place / len(wanted), name)
            found[name] = editor.regions.find_for(resolved.controls[name], resolved, parser)
    if as_json:
        print_json({"generator": resolved.spec.name, "controls": found})
        return
    print_table(
        ("control", "regions"),
        [
            (name, ", ".join(regions) or "not known: whole picture")
            for name, regions in found.items()
        ],
    )
