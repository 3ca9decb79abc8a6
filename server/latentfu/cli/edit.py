"""``latentfu edit`` and ``latentfu mix``: a picture with controls moved, or another's styles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_fit, print_json, progress_bar

if TYPE_CHECKING:
    from latentfu.cli.backend import Done
    from latentfu.cli.pictures import PictureFile
    from latentfu.engine.open_engine import EngineChoice


@click.command("edit")
@options.picture_argument("image")
@options.output_option("The edited picture; the ending names the format. For a folder a folder.")
@click.option(
    "--set", "sets", multiple=True, type=options.ControlSetting(), metavar="NAME=VALUE",
    help="A control and its strength, e.g. smile=2 (repeatable); of one that is no slider its "
    "value, a picture as @FILE.",
)  # fmt: skip
@click.option(
    "--all-faces",
    is_flag=True,
    help="Edit every face that is found, one after the other; --aligner is chosen by itself.",
)
@click.option("--again", is_flag=True, help="Edit those pictures of a folder again that are done.")
@click.option(
    "--as-is", is_flag=True,
    help="Edit IMAGE itself, even if it is an edit of a file that is still there.",
)  # fmt: skip
@options.control_options
@options.choice_options
@options.blend_options
@options.engine_options
@json_option
def edit_command(
    *,
    image: Path,
    output: Path,
    sets: tuple[tuple[str, float | str], ...],
    all_faces: bool,
    again: bool,
    as_is: bool,
    mask: Path | None,
    where: str | None,
    engine: EngineChoice,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Edit IMAGE with the controls that `latentfu controls list` names.

    IMAGE may be a folder: all pictures in it are edited, one after the other, or with --engine or
    --jobs several at once, by other processes or machines. What an earlier run has done stays.

    If IMAGE is itself an edit of a file that is still there, that file is edited with all
    strengths added up, so that nothing is lost from edit to edit.

    A running server does the work (its networks are warm), else this process. JPEG (and WebP,
    which is lossless with a mask only) cannot keep pixels outside the mask bit for bit.
    """
    edits, values = options.split_settings(sets)
    if not edits and not values and not fields.get("targets"):
        raise click.UsageError("Give --set smile=2, or --to smile=1.")
    if all_faces and {"face", "corners", "eyes"} & fields.keys():
        raise click.UsageError("--all-faces needs no --face, --corners or --eyes.")
    from latentfu.cli.backend import choose_backend
    from latentfu.cli.edit_picture import EditWish, describe_fit, edit_picture, find_start
    from latentfu.cli.pictures import check_target, read_picture_file

    wish = EditWish(edits, values, fields, mask, all_faces)
    if image.is_dir():
        from latentfu.cli.edit_folder import FolderOfEdits, edit_folder

        if mask or {"face", "corners", "eyes"} & fields.keys():
            raise click.UsageError("A mask and a place are for one picture.")
        folder = FolderOfEdits(image, output, again=again, as_is=as_is)
        edit_folder(folder, wish, where, engine, as_json)
        return
    if engine.is_given or again:
        raise click.UsageError("--engine, --jobs and --again are for a folder of pictures.")
    source, notice = find_start(image, wish, fresh=as_is)
    if notice:
        click.echo(notice, err=True)
    image, wish = Path(source.original), wish.with_edits(source.edits)
    picture = read_picture_file(image)
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    with progress_bar("Editing", quiet=as_json) as progress:
        backend = choose_backend(where, fields.get("generator"))
        done = edit_picture(picture, wish, backend, progress)
    lossy = _write_edited(output, picture.edited(done.layer.pixels), masked=mask is not None)
    wish.remember(output, source)
    if as_json:
        reports = done.reports if all_faces else None
        _print_done(output, done.last, lossy, reports)
        return
    for number, report in enumerate(done.reports, 1):
        if all_faces:
            click.echo(f"Face {number} of {len(done.reports)}: {describe_fit(report)}.")
        print_fit(report)
    if all_faces:
        click.echo(f"{output}: {wish.describe()} for all faces.")
    else:
        click.echo(f"{output}: {wish.describe()} ({describe_fit(done.last.report)}).")


def _describe_fit(report: Mapping[str, Any]) -> str:
    """The inversion's figure and its fit."""
    fit = f", fit {report['fit']}" if "fit" in report else ""  # an older server says none
    return f"inversion {report.get('psnr', 0):.1f} dB{fit}"


@click.command("mix")
@options.picture_argument("image")
@options.picture_argument("source")
@options.output_option("The mixed picture; the ending names the format.")
@click.option(
    "--region", "regions", multiple=True, metavar="NAME",
    help="What is taken as SOURCE shows it, such as hair or mouth (repeatable): latentfu regions "
    "SOURCE lists them.",
)  # fmt: skip
@click.option(
    "--layers", type=options.Layers(), metavar="FIRST-LAST",
    help="Instead: layers of the network, e.g. 4-7; low ones are shape, high ones are color.",
)  # fmt: skip
@options.choice_options
@options.blend_options
@json_option
def mix_command(
    *,
    image: Path,
    source: Path,
    output: Path,
    regions: tuple[str, ...],
    layers: tuple[int, int] | None,
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Put regions such as the hair of SOURCE into IMAGE, or its styles in some layers of a network.

    Everywhere or inside a mask. JPEG (and WebP, which is lossless with a mask only) cannot keep
    pixels outside the mask bit for bit.
    """
    if (layers is None) == (not regions):
        raise click.UsageError("Give --region hair, or --layers 4-7: one of both.")
    from latentfu.cli.backend import choose_backend, collect_fields
    from latentfu.cli.pictures import check_target, read_picture_file
    from latentfu.core.layer import Layer
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import MixRequest, build_request

    picture, other, pictures = read_picture_file(image), read_picture_file(source), PictureStore()
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    common = collect_fields(pictures, picture, mask, fields)
    common["source"] = pictures.add(Layer(other.pixels))
    taken = {"regions": list(regions)} if layers is None else {"layers": layers}
    request = build_request(MixRequest, **taken, **common)
    with progress_bar("Mixing", quiet=as_json) as progress:
        backend = choose_backend(where, fields.get("generator"))
        done = backend.run(request, pictures, progress)
    lossy = _write_edited(output, picture.edited(done.layer.pixels), masked=mask is not None)
    if as_json:
        _print_done(output, done, lossy)
    else:
        print_fit(done.report)
        what = " and ".join(regions) if layers is None else f"layers {layers[0]}-{layers[1]}"
        click.echo(f"{output}: {what} of {source}.")


def _write_edited(output: Path, picture: PictureFile, masked: bool) -> bool:
    """Write the picture, WebP without loss if there is a mask; whether the file is lossy."""
    from latentfu.cli.pictures import is_lossy, write_picture

    write_picture(output, picture, exact=masked)
    lossy = is_lossy(output, exact=masked)
    if lossy and masked:
        click.echo(
            f"{output} cannot hold pixels outside the mask bit for bit (JPEG is lossy): "
            f"name {output.stem}.png to keep them.",
            err=True,
        )
    return lossy


def _print_done(
    output: Path, done: Done, lossy: bool, reports: list[Mapping[str, Any]] | None = None
) -> None:
    """The result as JSON; ``reports``: of each face, where all were edited."""
    found = {"output": str(output), "place": done.place, "lossy": lossy, "report": done.report}
    print_json(found if reports is None else {**found, "reports": reports})
