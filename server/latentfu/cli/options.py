"""Options that the picture commands share, and reading ``smile=2`` and ``4-7``."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click

_Point = tuple[float, float]
F = TypeVar("F", bound=Callable[..., Any])
_LAYERS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


def _number(field: str) -> click.ParamType[Any]:
    """A number within the limits that a request sets for ``field``."""
    from latentfu.protocol.requests import LIMITS

    low, high = LIMITS[field]
    return click.IntRange(low, high) if field == "face" else click.FloatRange(low, high)


class PointList(click.ParamType[tuple[_Point, ...]]):
    """``x,y,x,y...``: ``count`` points in pixels."""

    name = "points"

    def __init__(self, count: int) -> None:
        self.count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[_Point, ...]:
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
        """The control and its number.

        Args:
            value: as it was typed, or what this gave before.
            param: the option, for the message.
            ctx: the command, for the message.

        Returns:
            The name and a finite number; anything else ends the command with a sentence.
        """
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


class ControlSetting(click.ParamType[tuple[str, float | str]]):
    """``NAME=NUMBER`` of a slider, or ``NAME=VALUE`` of another control."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float | str]:
        if isinstance(value, tuple):
            return value
        control, equals, text = (part.strip() for part in str(value).partition("="))
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and equals and control:
            return control, number
        if not equals or not control or not text or text.lower().lstrip("+-") in _NO_NUMBERS:
            self.fail(f"{value!r} is not like smile=2 (NAME=STRENGTH, a number).", param, ctx)
        return control, text


_NO_NUMBERS = ("nan", "inf", "infinity")


Value = float | int | str | bool


class NamedValue(click.ParamType[tuple[str, Value]]):
    """``NAME=VALUE``: a number, true or false, or a text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Value]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not like prior=0.01 (an option and its value).", param, ctx)
        return name.strip(), _parse_value(text.strip())


def _parse_value(text: str) -> Value:
    """A number where the text is one, a truth value where it is one, else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


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


class Numbers(click.ParamType[tuple[int, ...]]):
    """``1,2,4``: whole numbers from 1 on."""

    name = "n,n,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= 4096 for part in parts):
            self.fail(f"{value!r} is not like 1,2,4.", param, ctx)
        return tuple(int(part) for part in parts)


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


def _collected(names: Sequence[str], options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """Decorator: the ``options``, whose values come together in the command's ``fields``.

    ``fields`` are those of a request (:mod:`latentfu.protocol.requests`); what was not given is
    left out.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def collect(**given: Any) -> Any:
            fields = {**given.pop("fields", {})}
            for name in names:
                value = given.pop(name)
                if value is not None and value != ():
                    fields[name] = value
            return function(fields=fields, **given)

        decorated: Any = collect
        for option in reversed(options):
            decorated = option(decorated)
        return cast(F, decorated)

    return decorate


def control_options(function: F) -> F:
    """``--to --only --truncate --identity --region``; see :func:`request_fields`."""
    return _collected(
        ("targets", "only", "truncation", "identity", "regions"),
        (
            click.option(
                "--to", "targets", multiple=True, type=Strength(), metavar="NAME=NUMBER",
                help="Move a control to this amount, wherever it stands; 0 is the boundary.",
            ),
            click.option(
                "--only", multiple=True, type=NamedLayers(), metavar="NAME=FIRST-LAST",
                help="Move a control in these layers only, e.g. smile=0-4 (repeatable).",
            ),
            click.option(
                "--truncate", "truncation", type=click.Choice(["first", "last"]), default="last",
                help="Whether --psi acts before or after the edits (default: last).",
            ),
            click.option(
                "--identity", type=_number("identity"), default=0.0, metavar="WEIGHT",
                help="Hold the person while the rest moves, e.g. 1.",
            ),
            click.option(
                "--region", "regions", multiple=True, metavar="NAME",
                help="Where it may show, e.g. hair (repeatable); auto (default): in photographs "
                "where the controls act; whole: everywhere.",
            ),
        ),
    )(function)  # fmt: skip


def picture_argument(name: str) -> Callable[[F], F]:
    """A picture file; it is opened by us, so that the sentence is ours."""
    return click.argument(name, type=click.Path(path_type=Path))


def output_option(help: str) -> Callable[[F], F]:
    """``-o FILE``, needed."""
    path = click.Path(path_type=Path)
    return click.option("-o", "--output", required=True, metavar="FILE", type=path, help=help)


def choice_options(function: F) -> F:
    """``--generator --inverter --option --aligner --quality --face --corners --eyes --mouth``."""
    return _collected(
        (
            "generator", "inverter", "options", "aligner", "quality", "face", "corners", "eyes",
            "mouth",
        ),
        (
            click.option(
                "--generator", metavar="NAME",
                help="A name from: latentfu generators list, or a file (default: the first).",
            ),
            click.option(
                "--inverter", metavar="NAME",
                help="See: latentfu inverters list (default: the best for the quality).",
            ),
            click.option(
                "--option", "options", multiple=True, type=NamedValue(), metavar="NAME=VALUE",
                help="An option of the inverter (repeatable).",
            ),
            click.option(
                "--aligner", metavar="NAME",
                help="How the square to edit is found (default: the generator's own).",
            ),
            click.option(
                "--quality", type=click.Choice(["draft", "good", "best"]),
                help="Instead of an inverter: how well, at the cost of time (default: good).",
            ),
            click.option(
                "--face", type=_number("face"), metavar="N",
                help="Which of several faces: 1 is the largest (default: the one in the mask).",
            ),
            click.option(
                "--corners", type=PointList(4), metavar="X,Y,...",
                help="The square by hand: top left, top right, bottom right, bottom left.",
            ),
            click.option(
                "--eyes", type=PointList(2), metavar="X,Y,X,Y",
                help="The eyes in pixels, left in the picture first: where nothing is detected.",
            ),
            click.option(
                "--mouth", type=PointList(1), metavar="X,Y", help="Its middle, with --eyes."
            ),
        ),
    )(function)  # fmt: skip


def place_options(function: F) -> F:
    """``--local --server``: where the work is done, together as ``where``.

    None where nothing was said; else ``process``, or what ``--server`` named.
    """

    @functools.wraps(function)
    def collect(*, local: bool, server: str | None, **given: Any) -> Any:
        if local and server is not None:
            raise click.UsageError("--local goes with no --server.")
        return function(where=IN_PROCESS if local else server, **given)

    decorated: Any = click.option(
        "--server", metavar="URL",
        help="A server on another machine, to which the pictures are sent; local: this machine "
        "(default: LATENTFU_SERVER, or what latentfu servers use chose).",
    )(collect)  # fmt: skip
    return cast(
        F,
        click.option("--local", is_flag=True, help="Work in this process, not in the server.")(
            decorated
        ),
    )


def engine_options(function: F) -> F:
    """``--engine --jobs``: where long work is divided, as a decorator below ``@click.command``.

    The command gets ``engine: latentfu.EngineChoice``, and opens it where the work begins.

    Args:
        function: the command's function.

    Returns:
        It, with the options.
    """
    from latentfu.engine.open_engine import EngineChoice

    @functools.wraps(function)
    def collect(*, engine: str, jobs: int | None, **given: Any) -> Any:
        return function(engine=EngineChoice(engine, jobs), **given)

    decorated: Any = click.option(
        "--jobs", type=click.IntRange(1, 4096), metavar="N",
        help="Workers at once; 1: this process alone (default: as many as are of use). The result "
        "does not depend on it.",
    )(collect)  # fmt: skip
    return cast(
        F,
        click.option(
            "--engine", default="local", show_default=True, metavar="WHERE",
            help="Who works: local (processes of this machine), ray (a Ray started here), or "
            "ray://HOST:PORT (a cluster); needs latentfu[ray].",
        )(decorated),
    )  # fmt: skip


IN_PROCESS = "process"
"""Where the work is done with ``--local``."""


def blend_options(function: F) -> F:
    """``--mask --feather --psi --local --server``; of these ``fields`` has feather and psi."""
    function = place_options(function)
    function = _collected(
        ("feather", "psi"),
        (
            click.option(
                "--feather", type=_number("feather"), default=12.0, show_default=True,
                help="Width of the soft border in pixels.",
            ),
            click.option(
                "--psi", type=_number("psi"), default=1.0, show_default=True,
                help="Below 1 pulls the result towards the generator's mean.",
            ),
        ),
    )(function)  # fmt: skip
    return click.option(
        "--mask", type=click.Path(path_type=Path), metavar="FILE",
        help="Picture of the same size: white may change, black stays (bit for bit in PNG, TIFF "
        "and WebP).",
    )(function)  # fmt: skip


def request_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """What was given, as the fields of a request; the generator's file stays out."""
    values = dict(fields)
    if "targets" in values:
        values["targets"] = join_strengths(values["targets"], "--to")
    if "only" in values:
        values["only"] = dict(values["only"])
    if "options" in values:
        values["options"] = dict(values["options"])
    if "mouth" in values:
        values["mouth"] = values["mouth"][0]
    if "regions" in values:
        values["regions"] = _read_regions(values["regions"])
    if is_file(values.get("generator")):
        del values["generator"]
    return values


def _read_regions(given: Sequence[str]) -> str | list[str]:
    """``auto``, ``whole`` or names, as a request takes them; mixing them is wrong use."""
    names = list(dict.fromkeys(given))
    for word in ("auto", "whole"):
        if word in names:
            if len(names) > 1:
                raise click.UsageError(f"--region {word} goes with no other --region.")
            return word
    return names


def is_file(generator: str | None) -> bool:
    """Whether a generator is given as a file, which cannot be named to the server."""
    return generator is not None and Path(generator).is_file()


def split_settings(
    pairs: Sequence[tuple[str, float | str]],
) -> tuple[dict[str, float], dict[str, str]]:
    """The strengths of sliders, and what other controls are set to; twice is wrong use."""
    settings = join_strengths(pairs)
    strengths = {name: each for name, each in settings.items() if not isinstance(each, str)}
    return strengths, {name: each for name, each in settings.items() if isinstance(each, str)}


V = TypeVar("V")


def join_strengths(pairs: Sequence[tuple[str, V]], option: str = "--set") -> dict[str, V]:
    """The strengths as a dict; a name given twice is wrong use."""
    edits = dict(pairs)
    if len(edits) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise click.UsageError(f"{option} {twice} is given more than once.")
    return edits
