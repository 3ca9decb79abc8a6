"""What the commands share: options, the generator and scorer that are meant, words for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import Direction, Generator

FOLDER_TYPE = click.Path(path_type=Path, file_okay=False)


class _LayerRange(click.ParamType[tuple[int, int]]):
    """``4-7`` or ``4``: first and last, both included."""

    name = "first-last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not like 4-7 (first and last layer).", param, ctx)
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            self.fail(f"{value!r} runs backwards: write {last}-{first}.", param, ctx)
        return first, last


LAYER_RANGE = _LayerRange()


def open_generator_or_first(name: str | None) -> Generator:
    """The generator ``name``; the first listed for None."""
    return latentfu.open_generator(name or next(iter(latentfu.generators()), "portraits"))


def describe_leaks(direction: Direction) -> str:
    """The three other attributes that a direction moves most, for people: "moves hair +0.30"."""
    strongest = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:3]
    if strongest:
        return "moves " + ", ".join(f"{name} {amount:+.2f}" for name, amount in strongest)
    return "what else it moves was not measured"


def describe_held_out(direction: Direction) -> str:
    """How many held-out samples it told apart, for people."""
    if direction.accuracy is None:
        return "no samples were held out"
    return f"told apart {direction.accuracy:.0%} of held-out samples"
