"""Options that the picture commands share, and reading ``smile=2`` and ``4-7``."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from latentfu.core.layer import MaskPixels
    from latentfu.pipeline.apply_controls import EditOptions
    from latentfu.pipeline.placement import Placement

Point = tuple[float, float]
F = TypeVar("F", bound=Callable[..., Any])
_LAYERS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


@dataclass(frozen=True)
class Place:
    """Quality and place of a picture command, as HTTP says them; None is the default."""

    quality: str | None = None
    face: int | None = None
    corners: tuple[Point, ...] | None = None
    eyes: tuple[Point, ...] | None = None
    mouth: Point | None = None

    def placing(self) -> Placement:
        """For the editor."""
        from latentfu.pipeline.placement import Placement

        return Placement(self.face, self.corners, self.eyes, self.mouth)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Choice:
    """What a picture command works with; None is the default.

    ``mask``: uint8 ``[H, W]`` of the picture's size. ``feather``: in pixels. ``ways``: what a
    running server does not take, so that this process has to work.
    """

    generator: str | None = None
    inverter: str | None = None
    aligner: str | None = None
    mask: MaskPixels | None = None
    feather: float = 12.0
    psi: float = 1.0
    place: Place = dataclasses.field(default_factory=Place)
    ways: EditOptions | None = None


class Points(click.ParamType[tuple[Point, ...]]):
    """``x,y,x,y...``: ``count`` points in pixels."""

    name = "points"

    def __init__(self, count: int) -> None:
        self.count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Point, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = [float(part) for part in str(value).split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != 2 * self.count or not all(map(math.isfinite, numbers)):
            example = ",".join(["x,y"] * self.count)
            self.fail(f"{value!r} is not like {example} (numbers in pixels).", param, ctx)
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


class Strength(click.ParamType[tuple[str, float]]):
    """``NAME=NUMBER``: a control and how far it is moved, a finite number."""

    name = "name=number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        control, equals, text = str(value).partition("=")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not equals or not control.strip() or not math.isfinite(number):
            self.fail(f"{value!r} is not like smile=2 (NAME=STRENGTH, a number).", param, ctx)
        return control.strip(), number


class Layers(click.ParamType[tuple[int, int]]):
    """``4-7`` or ``4``: first and last, both included."""

    name = "first-last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = _LAYERS.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not like 4-7 (first and last layer).", param, ctx)
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            self.fail(f"{value!r} runs backwards: write {last}-{first}.", param, ctx)
        return first, last


class NamedLayers(click.ParamType[tuple[str, tuple[int, int]]]):
    """``NAME=FIRST-LAST``."""

    name = "name=first-last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[int, int]]:
        if isinstance(value, tuple):
            return value
        control, equals, text = str(value).partition("=")
        if not equals or not control.strip():
            self.fail(f"{value!r} is not like smile=0-7 (a control and layers).", param, ctx)
        return control.strip(), Layers().convert(text, param, ctx)


def ways_options(function: F) -> F:
    """``--to --only --truncate --identity``; the command gets ``ways``, None when none is given."""

    @functools.wraps(function)
    def gathered(**given: Any) -> Any:
        said = [given.pop(name) for name in ("targets", "only", "truncate", "identity")]
        ways = None
        if any(said[:2]) or said[2] == "first" or said[3]:
            from latentfu.pipeline.apply_controls import EditOptions

            ways = EditOptions(strengths(said[0]), dict(said[1]), said[2] == "first", said[3])
        return function(ways=ways, **given)

    decorations = (
        click.option(
            "--identity", type=click.FloatRange(0, 1000), default=0.0, metavar="WEIGHT",
            help="Hold the person while the rest moves, e.g. 1.",
        ),
        click.option(
            "--truncate", type=click.Choice(["first", "last"]), default="last",
            help="Whether --psi acts before or after the edits (default: last).",
        ),
        click.option(
            "--only", multiple=True, type=NamedLayers(), metavar="NAME=FIRST-LAST",
            help="Move a control in these layers only, e.g. smile=0-4 (repeatable).",
        ),
        click.option(
            "--to", "targets", multiple=True, type=Strength(), metavar="NAME=NUMBER",
            help="Move a control to this amount, wherever it stands; 0 is the boundary.",
        ),
    )  # fmt: skip
    decorated: Any = gathered
    for decorate in decorations:
        decorated = decorate(decorated)
    return cast(F, decorated)


def picture_argument(name: str) -> Callable[[F], F]:
    """A picture file; it is opened by us, so that the sentence is ours."""
    return click.argument(name, type=click.Path(path_type=Path))


def output_option(help: str) -> Callable[[F], F]:
    """``-o FILE``, needed."""
    path = click.Path(path_type=Path)
    return click.option("-o", "--output", required=True, metavar="FILE", type=path, help=help)


def choice_options(function: F) -> F:
    """``--generator --inverter --aligner``, and ``place`` of the quality and the placing."""
    function = place_options(function)
    for name, what in (
        ("--aligner", "How the square to edit is found (default: the generator's own)."),
        ("--inverter", "See: latentfu inverters list (default: the best for the quality)."),
        ("--generator", "A name from: latentfu generators list, or a file (default: the first)."),
    ):
        function = click.option(name, metavar="NAME", help=what)(function)
    return function


def place_options(function: F) -> F:
    """``--quality --face --corners --eyes --mouth``; the command gets ``place: Place``."""

    @functools.wraps(function)
    def gathered(**given: Any) -> Any:
        mouth = given.pop("mouth")
        said = {name: given.pop(name) for name in ("quality", "face", "corners", "eyes")}
        return function(place=Place(mouth=mouth[0] if mouth else None, **said), **given)

    decorations = (
        click.option("--mouth", type=Points(1), metavar="X,Y", help="Its middle, with --eyes."),
        click.option(
            "--eyes", type=Points(2), metavar="X,Y,X,Y",
            help="The eyes in pixels, left in the picture first: where nothing is detected.",
        ),
        click.option(
            "--corners", type=Points(4), metavar="X,Y,...",
            help="The square by hand: top left, top right, bottom right, bottom left.",
        ),
        click.option(
            "--face", type=click.IntRange(1, 1000), metavar="N",
            help="Which of several faces: 1 is the largest (default: the one in the mask).",
        ),
        click.option(
            "--quality", type=click.Choice(["draft", "good", "best"]),
            help="Instead of an inverter: how well, at the cost of time (default: good).",
        ),
    )  # fmt: skip
    decorated: Any = gathered
    for decorate in decorations:
        decorated = decorate(decorated)
    return cast(F, decorated)


def blend_options(function: F) -> F:
    """``--mask --feather --psi --local``."""
    decorations = (
        click.option("--local", is_flag=True, help="Work in this process, not in the server."),
        click.option(
            "--psi", type=click.FloatRange(0, 2), default=1.0, show_default=True,
            help="Below 1 pulls the result towards the generator's mean.",
        ),
        click.option(
            "--feather", type=click.FloatRange(0, 1000), default=12.0, show_default=True,
            help="Width of the soft border in pixels.",
        ),
        click.option(
            "--mask", type=click.Path(path_type=Path), metavar="FILE",
            help="Picture of the same size: white may change, black stays bit for bit.",
        ),
    )  # fmt: skip
    for decorate in decorations:
        function = decorate(function)
    return function


def strengths(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    """The edits as a dict; a name given twice is wrong use."""
    edits = dict(pairs)
    if len(edits) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise click.UsageError(f"--set {twice} is given more than once.")
    return edits
