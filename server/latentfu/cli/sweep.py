"""``latentfu sweep``: controls moved step by step, as a film or a folder of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_fit, print_json, progress_bar

if TYPE_CHECKING:
    from latentfu.cli.frame_labels import FrameReader
    from latentfu.cli.pictures import PictureFile
    from latentfu.core.layer import Layer
    from latentfu.core.progress import Progress
    from latentfu.pipeline.paste_back import Outcome
    from latentfu.protocol.replies import ReportReply

Stretch = tuple[float, float]
LONGEST_SIDE = 1024


class Range(click.ParamType[tuple[str, Stretch]]):
    """``NAME=FROM..TO``."""

    name = "name=from..to"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Stretch]:
        if isinstance(value, tuple):
            return value
        control, equals, text = str(value).partition("=")
        first, dots, last = text.partition("..")
        try:
            ends = float(first), float(last)
        except ValueError:
            ends = math.nan, math.nan
        if not equals or not dots or not control.strip() or not all(map(math.isfinite, ends)):
            self.fail(f"{value!r} is not like smile=-2..2 (a control, from and to).", param, ctx)
        return control.strip(), ends


@click.command("sweep")
@options.picture_argument("image")
@options.output_option("A .webp, .gif, .mp4 or .avi film, or a folder for pictures.")
@click.option(
    "--set", "sets", multiple=True, required=True, type=Range(), metavar="NAME=FROM..TO",
    help="A control and its strengths, e.g. smile=-2..2 (repeatable).",
)  # fmt: skip
@click.option(
    "--frames", type=click.IntRange(2, 1000), default=25, show_default=True, help="How many steps."
)
@click.option(
    "--label", metavar="ATTRIBUTE",
    help="Write on each frame what a scorer reads of this, e.g. age.",
)  # fmt: skip
@click.option("--back", is_flag=True, help="Also back to the beginning, for a film that repeats.")
@options.control_options
@options.choice_options
@options.blend_options
@json_option
def sweep_command(
    *,
    image: Path,
    output: Path,
    sets: tuple[tuple[str, Stretch], ...],
    frames: int,
    label: str | None,
    back: bool,
    mask: Path | None,
    where: str | None,
    as_json: bool,
    fields: dict[str, Any],
) -> None:
    """Move controls of IMAGE step by step: it is inverted once, each frame is one render.

    All controls that are given move together. It is always drawn in this process. Directions of
    what a scorer counts in units, such as years, are moved by these: --set age=-30..30 --frames 61.
    """
    from latentfu.cli.film import check_film
    from latentfu.cli.pictures import check_folder, read_picture_file
    from latentfu.protocol.remote_server import HERE

    if where not in (None, options.IN_PROCESS, HERE):
        raise click.UsageError("A sweep is drawn on this machine: leave out --server.")
    if output.suffix:
        check_film(output)
        check_folder(output)
    picture = read_picture_file(image)
    steps = _list_steps(sets, frames, back)
    reports: list[ReportReply] = []
    readings: list[float] = []
    with progress_bar("Drawing", quiet=as_json) as progress:
        outcomes = _draw_steps(picture, mask, steps, fields, progress)
        if label:
            outcomes = _label_frames(outcomes, _open_reader(label, fields), readings)
        layers = _keep_reports(outcomes, reports)
        count = _write_frames(output, layers, picture)
    told = _sum_up(reports)
    if as_json:
        read = {"label": label, "readings": readings} if label else {}
        print_json({"output": str(output), "frames": count, "steps": steps, **read, **told})
    else:
        print_fit(told)
        click.echo(f"{output}: {count} frames.")


def _list_steps(
    sets: Sequence[tuple[str, Stretch]], frames: int, back: bool
) -> list[dict[str, float]]:
    """The strengths of every frame, first to last; a name given twice is wrong use."""
    names = [name for name, _ in sets]
    if len(set(names)) != len(names):
        raise click.UsageError("A control is given more than once.")
    parts = [i / (frames - 1) for i in range(frames)]
    found = [{name: a + part * (b - a) for name, (a, b) in sets} for part in parts]
    return found + found[-2:0:-1] if back else found


def _draw_steps(
    picture: PictureFile,
    mask: Path | None,
    steps: Sequence[Mapping[str, float]],
    fields: dict[str, Any],
    progress: Progress,
) -> Iterator[Outcome]:
    """The picture with the controls of each step; the inversion is found once and kept."""
    from latentfu.cli.backend import collect_fields, open_editor
    from latentfu.core.progress import silent
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, build_request

    pictures = PictureStore()
    common = collect_fields(pictures, picture, mask, fields)
    requests = [build_request(EditRequest, **common, edits=dict(edits)) for edits in steps]
    editor, name = open_editor(fields.get("generator"))
    for done, request in enumerate(requests):
        progress(done / len(steps), f"Frame {done + 1} of {len(steps)}")
        named = request.model_copy(update={"generator": name})
        yield editor.edit(named, pictures, silent)


def _open_reader(label: str, fields: Mapping[str, Any]) -> FrameReader:
    """Who reads the label's attribute off frames; raises LatentFuError."""
    from latentfu.cli.backend import open_editor
    from latentfu.cli.frame_labels import open_frame_reader

    editor, name = open_editor(fields.get("generator"))
    return open_frame_reader(label, editor.generators.open(editor.generators.find_spec(name)))


def _label_frames(
    outcomes: Iterator[Outcome], reader: FrameReader, readings: list[float]
) -> Iterator[Outcome]:
    """The frames with what ``reader`` reads of them on them; it is put into ``readings`` too."""
    from dataclasses import replace

    from latentfu.cli.frame_labels import draw_frame_label

    for outcome in outcomes:
        readings.append(reader.read(outcome))
        labelled = draw_frame_label(outcome.layer, reader.describe(readings[-1]))
        yield replace(outcome, layer=labelled)


def _keep_reports(outcomes: Iterator[Outcome], reports: list[ReportReply]) -> Iterator[Layer]:
    """The layers; what each says about itself is put into ``reports``."""
    from latentfu.protocol.replies import ReportReply

    for outcome in outcomes:
        assert isinstance(outcome.report, ReportReply)  # only regions have another
        reports.append(outcome.report)
        yield outcome.layer


def _sum_up(reports: Sequence[ReportReply]) -> dict[str, str]:
    """How the picture fits, and that no frame differs from it, if so."""
    first = reports[0]
    still = all(report.changed == 0 for report in reports)
    unchanged = reports[-1].unchanged if still else ""
    return {
        "fit": first.fit, "warning": first.warning, "advice": first.advice, "unchanged": unchanged,
    }  # fmt: skip


def _write_frames(output: Path, layers: Iterator[Layer], picture: PictureFile) -> int:
    """A film, or a folder of numbered PNG files; gives the number of frames."""
    import numpy as np

    from latentfu.cli.film import Film
    from latentfu.cli.pictures import write_picture

    if output.suffix:
        film = Film(1)
        film.frames = [np.asarray(_shrink_frame(layer)) for layer in layers]
        film.write(output)
        return len(film.frames)
    count = 0
    for count, layer in enumerate(layers, 1):
        output.mkdir(parents=True, exist_ok=True)
        write_picture(output / f"{count:04}.png", picture.edited(layer.pixels))
    return count


def _shrink_frame(layer: Layer) -> Any:
    """The frame of a film: RGB, at most 1024 pixels a side, both sides even."""
    from PIL import Image

    image = Image.fromarray(layer.rgb())
    factor = min(1.0, LONGEST_SIDE / max(image.size))
    width, height = (max(2, round(side * factor) // 2 * 2) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
