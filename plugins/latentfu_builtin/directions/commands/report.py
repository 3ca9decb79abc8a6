"""``latentfu directions report`` and ``latentfu directions clean``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    LatentFuError,
    choose_scorer,
    json_option,
    own_directions_dir,
    progress_bar,
    read_direction,
    refuse_taken_name,
    save_direction,
)

from latentfu_builtin.directions.boundaries import project_boundary
from latentfu_builtin.directions.commands.common import (
    FOLDER_TYPE,
    describe_leaks,
    open_generator_or_first,
)
from latentfu_builtin.directions.effects import measure_by_scorer
from latentfu_builtin.directions.report import (
    format_report,
    identity_for,
    measure_directions,
    write_report,
)
from latentfu_builtin.directions.user_library import (
    compute_direction,
    list_computed_directions,
    list_direction_files,
    read_directions,
)


@click.command("report")
@click.argument("generator", required=False)
@click.option("--out", type=FOLDER_TYPE, help="Folder for report.json, report.md and matrix.png.")
@click.option("--direction", "names", multiple=True, metavar="NAME", help="Only these.")
@click.option(
    "--samples",
    default=64,
    show_default=True,
    type=click.IntRange(8, 10_000),
    help="Latents that are looked at.",
)
@click.option("--seed", default=0, show_default=True, help="Of the latents.")
@json_option
def report_command(
    generator: str | None, out: Path | None, names: tuple[str, ...], as_json: bool, **asked: Any
) -> None:
    """Measure what the directions of GENERATOR do: effect, linearity, leaks, identity."""
    opened = open_generator_or_first(generator)
    found = read_directions(names, opened) if names else _read_all(opened)
    scorer = choose_scorer(opened.domain)
    if scorer is None:
        raise BadInputError(f"No scorer reads pictures of {opened.domain}: install one.")
    with progress_bar("Measuring", quiet=as_json) as progress:
        report = measure_directions(
            opened, found, scorer, identity_for(opened.domain), asked["samples"], asked["seed"],
            progress,
        )  # fmt: skip
    files = write_report(report, out) if out else []
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in files], **report.as_json()}))
        return
    click.echo(format_report(report))
    for path in files:
        click.echo(str(path))


def _read_all(generator: Generator) -> list[Direction]:
    """Those from files, and those that plug-ins compute; what is no straight line is left out."""
    found = read_directions(sorted(list_direction_files(generator)), generator)
    for name, control in sorted(list_computed_directions(generator).items()):
        try:
            found.append(compute_direction(control, generator))
        except LatentFuError as error:
            click.echo(f"{name} is left out: {error}", err=True)
    return found


@click.command("clean")
@click.argument("direction")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--without", multiple=True, metavar="NAME", help="Directions to leave alone.")
@click.option("--leaks", default=2, show_default=True, help="Else: how many of its strongest.")
@click.option("--name", help="Name of the new direction; default: DIRECTION-clean.")
@click.option("--out", type=FOLDER_TYPE, help="Folder.")
@json_option
def clean_command(
    direction: str, generator: str | None, out: Path | None, as_json: bool, **asked: Any
) -> None:  # fmt: skip
    """Make a DIRECTION that leaves alone what it leaks on, by the directions of those."""
    opened = open_generator_or_first(generator)
    (old,) = read_directions([direction], opened)
    name = asked["name"] or f"{old.name}-clean"
    folder = out or own_directions_dir()
    refuse_taken_name(name, folder, opened)
    others = (
        read_directions(asked["without"], opened)
        if asked["without"]
        else _find_leak_directions(old, opened, asked["leaks"])
    )
    with progress_bar("Measuring", quiet=as_json) as progress:
        new = _clean_direction(old, others, name)
        scorer = choose_scorer(opened.domain)
        new = measure_by_scorer(new, opened, scorer, 0, progress)
    path = save_direction(new, folder)
    if as_json:
        click.echo(json.dumps({"file": str(path), **read_direction(path).facts()}))
        return
    told = ", ".join(other.name for other in others)
    click.echo(f"{path}: without {told}; {describe_leaks(new)} (before: {describe_leaks(old)}).")


def _find_leak_directions(
    direction: Direction, generator: Generator, count: int
) -> list[Direction]:
    """The installed directions of what this one leaks on most; raises BadInputError."""
    known = {
        d.attribute: d
        for d in read_directions(sorted(list_direction_files(generator)), generator)
        if d.name != direction.name and d.attribute and d.attribute != direction.attribute
    }
    order = sorted(direction.leakage, key=lambda name: -abs(direction.leakage[name]))
    found = [known[name] for name in order if name in known][:count]
    if not found:
        raise BadInputError(
            f"No direction of what {direction.name} leaks on is installed: name some by --without."
        )
    return found


def _clean_direction(direction: Direction, others: list[Direction], name: str) -> Direction:
    """The direction without its part along the others, at its old length along itself."""
    if direction.parameter or any(other.parameter for other in others):
        raise BadInputError("A channel of a layer cannot be cleaned of another: it is one number.")
    shape = max((d.vector.shape for d in (direction, *others)), key=len)
    rows = [np.broadcast_to(d.vector, shape).ravel() for d in others]
    wanted = np.broadcast_to(direction.vector, shape)
    unit = project_boundary(wanted.ravel(), *rows).reshape(shape)
    length = float((unit * wanted).sum())
    space = direction.space if direction.vector.ndim == len(shape) else others[0].space
    vector = torch.from_numpy(unit).mul(length).numpy()
    told = f"{direction.method}, cleaned of {', '.join(other.name for other in others)}"
    return replace(
        direction, vector=vector, normal=None, space=space, name=name, method=told, title="",
        group="own", accuracy=None, effect=None, leakage={},
    )  # fmt: skip
