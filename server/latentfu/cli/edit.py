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
    from latentfu.core.crop import Quad
    from latentfu.protocol.pictures import PictureStore
    from latentfu.storage.edit_history import EditState


@click.command("edit")
@options.picture_argument("image")
@options.output_option("The edited picture; the ending names the format.")
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
@click.option(
    "--as-is", is_flag=True,
    help="Edit IMAGE itself, even if it is an edit of a file that is still there.",
)  # fmt: skip
@options.control_options
@options.choice_options
@options.blend_options
@json_option
def edit_command(
    *,
    image: Path,
    output: Path,
    sets: tuple[tuple[str, float | str], ...],
    all_faces: bool,
    as_is: bool,
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Edit IMAGE with the controls that `latentfu controls list` names.

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
    from dataclasses import replace

    from latentfu.cli.backend import choose_backend, collect_fields
    from latentfu.cli.pictures import check_target, read_picture_file
    from latentfu.core.progress import between
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, build_request
    from latentfu.storage.edit_history import describe_options, remember_edit

    how = describe_options({**fields, "all_faces": all_faces, **_describe_values(values)}, mask)
    source = _start_state(image, edits, how, fresh=as_is or "targets" in fields)
    image, edits = Path(source.original), source.edits
    picture = read_picture_file(image)
    reports: list[Mapping[str, Any]] = []
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    places = [fields]
    if all_faces:  # found once: an edit may change what would be found, and its order
        places = [{**fields, "corners": quad.corners} for quad in _find_faces(picture, fields)]
    with progress_bar("Editing", quiet=as_json) as progress:
        backend, layered = choose_backend(where, fields.get("generator")), picture
        for done_before, place in enumerate(places):
            pictures = PictureStore()
            common = {
                **collect_fields(pictures, layered, mask, place),
                **_collect_values(pictures, values),
            }
            request = build_request(EditRequest, edits=edits, **common)
            parts = done_before / len(places), (done_before + 1) / len(places)
            done = backend.run(request, pictures, between(progress, *parts))
            layered = replace(layered, pixels=done.layer.pixels)
            reports.append(done.report)
    lossy = _write_edited(output, picture.edited(done.layer.pixels), masked=mask is not None)
    if "targets" not in fields and output.absolute() != image.absolute():
        remember_edit(output, source)
    if as_json:
        _print_done(output, done, lossy, reports if all_faces else None)
        return
    moved = {**request.edits, **request.targets}
    told = " ".join(
        [f"{name}={strength:g}" for name, strength in moved.items()]
        + [f"{name}={value}" for name, value in values.items()]
    )
    for number, report in enumerate(reports, 1):
        if all_faces:
            click.echo(f"Face {number} of {len(reports)}: {_describe_fit(report)}.")
        print_fit(report)
    if all_faces:
        click.echo(f"{output}: {told} for all faces.")
    else:
        click.echo(f"{output}: {told} ({_describe_fit(done.report)}).")


def _collect_values(pictures: PictureStore, values: Mapping[str, str]) -> dict[str, Any]:
    """What controls are set to that are no sliders, as fields of a request; ``@FILE`` is read."""
    from latentfu.cli.pictures import read_picture_file
    from latentfu.core.layer import Layer

    exemplars = {
        name: pictures.add(Layer(read_picture_file(Path(value[1:])).pixels))
        for name, value in values.items()
        if value.startswith("@")
    }
    words = {name: value for name, value in values.items() if name not in exemplars}
    return {"values": words, "exemplars": exemplars}


def _describe_values(values: Mapping[str, str]) -> dict[str, Any]:
    """The values and the contents of pictures, for the state of an edit; nothing for none."""
    from latentfu.storage.safetensors_file import file_sha256

    def describe(value: str) -> str:
        file = Path(value[1:])
        return file_sha256(file) if value.startswith("@") and file.is_file() else value

    return {"values": {name: describe(each) for name, each in values.items()}} if values else {}


def _start_state(image: Path, edits: dict[str, float], how: str, fresh: bool) -> EditState:
    """The file that is edited and all that is done to it: ``image``, or what it was made from."""
    from latentfu.storage.edit_history import EditState, recall_edit
    from latentfu.storage.safetensors_file import file_sha256

    here = image.absolute()
    known = None if fresh else recall_edit(image)
    if known is None or known.how != how:
        digest = file_sha256(image) if image.is_file() else ""
        return EditState(str(here), digest, edits, how)
    if not known.at_hand:
        click.echo(
            f"{known.original}, which {image} was made from, is gone or changed: {image} itself "
            f"is edited.",
            err=True,
        )
        return EditState(str(here), file_sha256(image), edits, how)
    click.echo(f"{image} was made from {known.original}: that is edited again.", err=True)
    return EditState(known.original, known.sha256, known.join_edits(edits), how)


def _find_faces(picture: PictureFile, fields: dict[str, Any]) -> list[Quad]:
    """Every square that the aligner finds; raises BadInputError where it finds none.

    A network's own aligner may know one subject a picture. If nobody named it and it is for faces
    (it places squares by eyes and mouth), one that finds more faces takes its place.
    """
    from latentfu.cli.backend import open_editor
    from latentfu.core.layer import Layer
    from latentfu.pipeline.align import find_all_quads, find_quads
    from latentfu.plugin_manager import get_registry, pick
    from latentfu.plugin_objects import Aligner

    editor, name = open_editor(fields.get("generator"))
    wanted = fields.get("aligner") or editor.generators.find_spec(name).aligner
    aligners, layer = get_registry().installed(Aligner), Layer(picture.pixels)
    aligner = pick(aligners, wanted, "aligner")
    others = [one for one in aligners.values() if "faces" in one.domains and one != aligner]
    if "aligner" in fields or aligner.place is None or not others:
        return find_all_quads(layer, aligner)
    several = find_quads(layer, others[0])
    return several if len(several) > 1 else find_all_quads(layer, aligner)


def _describe_fit(report: Mapping[str, Any]) -> str:
    """The inversion's figure and its fit."""
    fit = f", fit {report['fit']}" if "fit" in report else ""  # an older server says none
    return f"inversion {report.get('psnr', 0):.1f} dB{fit}"


@click.command("mix")
@options.picture_argument("image")
@options.picture_argument("source")
@options.output_option("The mixed picture; the ending names the format.")
@click.option(
    "--layers", required=True, type=options.Layers(), metavar="FIRST-LAST",
    help="Layers taken from SOURCE, e.g. 4-7: low ones are shape, high ones are color.",
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
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Put the styles of SOURCE into IMAGE, everywhere or inside a mask.

    JPEG (and WebP, which is lossless with a mask only) cannot keep pixels outside the mask bit for
    bit.
    """
    from latentfu.cli.backend import choose_backend, collect_fields
    from latentfu.cli.pictures import check_target, read_picture_file
    from latentfu.core.layer import Layer
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import MixRequest, build_request

    picture, other, pictures = read_picture_file(image), read_picture_file(source), PictureStore()
    check_target(output, has_alpha=picture.pixels.shape[2] == 4)
    common = collect_fields(pictures, picture, mask, fields)
    common["source"] = pictures.add(Layer(other.pixels))
    request = build_request(MixRequest, layers=layers, **common)
    with progress_bar("Mixing", quiet=as_json) as progress:
        backend = choose_backend(where, fields.get("generator"))
        done = backend.run(request, pictures, progress)
    lossy = _write_edited(output, picture.edited(done.layer.pixels), masked=mask is not None)
    if as_json:
        _print_done(output, done, lossy)
    else:
        print_fit(done.report)
        click.echo(f"{output}: layers {layers[0]}-{layers[1]} of {source}.")


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
