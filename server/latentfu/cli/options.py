"""Options that the picture commands share, and reading ``smile=2`` and ``4-7``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from latentfu.nouns.layer import MaskPixels

F = TypeVar("F", bound=Callable[..., Any])
_LAYERS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


@dataclass(frozen=True)
class Choice:
    """What a picture command works with; None is the default.

    ``mask``: uint8 ``[H, W]`` of the picture's size. ``feather``: in pixels.
    """

    generator: str | None = None
    inverter: str | None = None
    aligner: str | None = None
    mask: MaskPixels | None = None
    feather: float = 12.0
    psi: float = 1.0


class Strength(click.ParamType[tuple[str, float]]):
    """``NAME=NUMBER``."""

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
            self.fail(f"{value!r} is not like smile=2 (a control and a number).", param, ctx)
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


def picture_argument(name: str) -> Callable[[F], F]:
    """A picture file; it is opened by us, so that the sentence is ours."""
    return click.argument(name, type=click.Path(path_type=Path))


def output_option(help: str) -> Callable[[F], F]:
    """``-o FILE``, needed."""
    path = click.Path(path_type=Path)
    return click.option("-o", "--output", required=True, metavar="FILE", type=path, help=help)


def choice_options(function: F) -> F:
    """``--generator --inverter --aligner``."""
    for name, what in (
        ("--aligner", "How the square to edit is found (default: the generator's own)."),
        ("--inverter", "See: latentfu inverters list (default: the first)."),
        ("--generator", "A name from: latentfu generators list, or a file (default: the first)."),
    ):
        function = click.option(name, metavar="NAME", help=what)(function)
    return function


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
