"""``latentfu sweep``: controls moved step by step, as a film or a folder of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, progress_bar

if TYPE_CHECKING:
    from latentfu.core.layer import Layer
    from latentfu.core.progress import Progress
    from latentfu.pipeline.apply_controls import EditOptions

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
@click.option("--back", is_flag=True, help="Also back to the beginning, for a film that repeats.")
@options.ways_options
@options.choice_options
@options.blend_options
@json_option
def sweep_command(
    *,
    image: Path,
    output: Path,
    sets: tuple[tuple[str, Stretch], ...],
    frames: int,
    back: bool,
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
    """Move controls of IMAGE step by step: it is inverted once, each frame is one render.

    All controls that are given move together.
    """
    from latentfu.cli.film import check_film
    from latentfu.cli.pictures import Picture, check_folder, read_mask, read_picture
    from latentfu.core.layer import Layer

    if output.suffix:
        check_film(output)
        check_folder(output)
    picture = read_picture(image)
    selection = read_mask(mask, picture) if mask else None
    choice = options.Choice(generator, inverter, aligner, selection, feather, psi, place, ways)
    steps = strengths(sets, frames, back)
    with progress_bar("Drawing", quiet=as_json) as progress:
        layers = drawn(Layer(picture.pixels), steps, choice, progress)
        count = write(output, layers, lambda pixels: Picture(pixels, picture.profile))
    if as_json:
        print_json({"output": str(output), "frames": count, "steps": steps})
    else:
        click.echo(f"{output}: {count} frames.")


def strengths(
    sets: Sequence[tuple[str, Stretch]], frames: int, back: bool
) -> list[dict[str, float]]:
    """The strengths of every frame, first to last; a name given twice is wrong use."""
    names = [name for name, _ in sets]
    if len(set(names)) != len(names):
        raise click.UsageError("A control is given more than once.")
    parts = [i / (frames - 1) for i in range(frames)]
    found = [{name: a + part * (b - a) for name, (a, b) in sets} for part in parts]
    return found + found[-2:0:-1] if back else found


def drawn(
    layer: Layer, steps: Sequence[Mapping[str, float]], choice: options.Choice, progress: Progress
) -> Iterator[Layer]:
    """The layer with the controls of each step; the inversion is found once and kept."""
    from latentfu.cli.backend import common, open_editor
    from latentfu.core.progress import silent
    from latentfu.pipeline.apply_controls import DEFAULT_EDIT_OPTIONS
    from latentfu.pipeline.editor import EditRequest

    editor, name = open_editor(choice)
    ways = choice.ways or DEFAULT_EDIT_OPTIONS
    request = EditRequest(layer, {}, generator=name, ways=ways, **common(choice))
    for done, edits in enumerate(steps):
        progress(done / len(steps), f"Frame {done + 1} of {len(steps)}")
        yield editor.edit(replace(request, edits=dict(edits)), silent).layer


def write(output: Path, layers: Iterator[Layer], picture: Any) -> int:
    """A film, or a folder of numbered PNG files; gives the number of frames."""
    import numpy as np

    from latentfu.cli.film import Film
    from latentfu.cli.pictures import write_picture

    if output.suffix:
        film = Film(1)
        film.frames = [np.asarray(small(layer)) for layer in layers]
        film.write(output)
        return len(film.frames)
    count = 0
    for count, layer in enumerate(layers, 1):
        output.mkdir(parents=True, exist_ok=True)
        write_picture(output / f"{count:04}.png", picture(layer.pixels))
    return count


def small(layer: Layer) -> Any:
    """The frame of a film: RGB, at most 1024 pixels a side, both sides even."""
    from PIL import Image

    image = Image.fromarray(layer.rgb())
    factor = min(1.0, LONGEST_SIDE / max(image.size))
    width, height = (max(2, round(side * factor) // 2 * 2) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
