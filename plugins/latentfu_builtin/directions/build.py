"""All directions of a generator at once, from one set of samples: what a package ships."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click
from latentfu import BadInputError, ControlRequest, Direction

from latentfu_builtin.directions.makers import (
    RIDGE_OPTIONS,
    SVM_OPTIONS,
    Workbench,
    ridge_direction,
    save,
    svm_direction,
)
from latentfu_builtin.directions.samples import Meaning

WEAKEST_ACCURACY = 0.75
WEAKEST_AGREEMENT = 0.2
LONGEST_LEVER = 6.0
"""A direction whose strength 1 is more than this many spreads of w tears the picture."""


@dataclass(frozen=True)
class Subject:
    """An attribute to make a direction for, with the words that people read.

    ``title``: what its slider is called; empty for the attribute's own name.
    """

    attribute: str
    plus: str
    group: str
    title: str = ""


@dataclass(frozen=True)
class Row:
    """What came of a subject: a direction, or why there is none."""

    attribute: str
    direction: Direction | None
    reason: str = ""


def short(plus: str) -> str:
    """The first part of a factor's description, without the numbers of the renderer."""
    return re.sub(r", \d+ degrees at 1$", "", plus.split(";", maxsplit=1)[0]).strip()


def build_directions(
    request: ControlRequest,
    subjects: Iterable[Subject],
    *,
    maker: str = "svm",
    meaning: Meaning | None = None,
) -> list[Row]:
    """A direction for each subject, by ``maker``, from the samples that ``request`` asks for."""
    defaults = SVM_OPTIONS if maker == "svm" else RIDGE_OPTIONS
    make = svm_direction if maker == "svm" else ridge_direction
    options = {**defaults, **request.options}
    work = Workbench.of(request, int(options["trials"]), meaning)
    rows = []
    for subject in subjects:
        words = {**options, "plus": short(subject.plus), "group": subject.group}
        if subject.title:
            words["title"] = subject.title
        asked = replace(request, attribute=subject.attribute, options=words)
        try:
            rows.append(checked(make(work, asked, words), work))
        except BadInputError as error:
            rows.append(Row(subject.attribute, None, str(error)))
    return rows


def checked(direction: Direction, work: Workbench) -> Row:
    """A row with the direction, or without it when nobody would want to move it."""
    import numpy as np

    name = direction.attribute
    seen = work.samples.agreement(name)
    if work.samples.known and seen < WEAKEST_AGREEMENT:
        return Row(name, None, f"its pictures show it too little (correlation {seen:.2f})")
    if (direction.accuracy or 0.0) < WEAKEST_ACCURACY:
        return Row(name, None, f"only {direction.accuracy:.0%} of held-out samples told apart")
    spread = float(work.samples.codes.std(dim=0).norm())
    lever = float(np.linalg.norm(direction.vector)) / spread
    if lever > LONGEST_LEVER:
        return Row(name, None, f"one unit is {lever:.1f} times the spread of the codes")
    return Row(name, direction)


def ours() -> dict[str, str]:
    """What the shipped files say about where they come from."""
    return {
        "author": "The Latent-Fu authors",
        "licence": "Apache-2.0",
        "source": "latentfu build portraits",
    }


def replace_all(rows: list[Row], out: Path) -> None:
    """Write the new directions, then remove the files of attributes that have none now."""
    kept = set()
    for row in rows:
        if row.direction is None:
            click.echo(f"{row.attribute:18} left out: {row.reason}")
            continue
        kept.add(save(row.direction, out).name)
        click.echo(line(row.direction))
    for path in out.glob("*.safetensors"):
        if path.name not in kept:
            path.unlink()


def line(d: Direction) -> str:
    """One direction in a table."""
    strongest = sorted(d.leakage.items(), key=lambda item: -abs(item[1]))[:3]
    leaks = "  ".join(f"{name} {amount:+.2f}" for name, amount in strongest)
    return f"{d.name:18} accuracy {d.accuracy:.3f}  effect {d.effect:+.2f}  leaks {leaks}"
