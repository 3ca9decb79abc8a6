"""``latentfu directions fit CODES SCORES``: a direction from codes and scores in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    Space,
    json_option,
    read_direction,
    write_direction,
)

from latentfu_builtin.directions.interfacegan import Told, TrainedBoundary, parts, train_boundary
from latentfu_builtin.directions.own import own_folder
from latentfu_builtin.directions.samples import made_for
from latentfu_builtin.directions.solvers import SOLVERS, Floats

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_codes(path: Path) -> Floats:
    """Codes ``[N, ...]`` mapped from a .npy file; BadInputError for pickles and other types."""
    try:
        codes = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInputError(f"{path} can not be read as an array of numbers: {error}.") from error
    if not isinstance(codes, np.ndarray) or not np.issubdtype(codes.dtype, np.floating):
        raise BadInputError(f"{path} holds no codes: it must be one .npy array of floats.")
    return codes


def read_scores(path: Path) -> Floats:
    """Scores ``[N]`` of a .npy, .json or .csv file (its last column; a headline is skipped)."""
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64).reshape(-1)
        if path.suffix == ".json":
            return np.asarray(json.loads(path.read_text()), dtype=np.float64).reshape(-1)
        with path.open(newline="", encoding="utf-8") as file:
            column = [row[-1] for row in csv.reader(file) if row]
        return np.asarray(column[1:] if not is_number(column[0]) else column, dtype=np.float64)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise BadInputError(f"{path} can not be read as scores: {error}.") from error


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def space_of(codes: Floats, generator: Generator) -> Space:
    """The space that codes of this shape lie in; BadInputError when they fit none."""
    shape = codes.shape[1:]
    layered: Space = "w++" if generator.spaces[-1] == "w++" else "w+"
    if shape == (generator.num_ws, generator.w_dim) and generator.num_ws:
        return layered
    if shape == (generator.w_dim,):
        return "w"
    if shape == (generator.num_ws * generator.w_dim,):
        return layered
    if shape == (generator.z_dim,):
        return "z"
    raise BadInputError(
        f"Codes of the shape {list(shape)} fit no space of {generator.name}: w is "
        f"[{generator.w_dim}], w+ [{generator.num_ws}, {generator.w_dim}]."
    )


def as_direction(
    found: TrainedBoundary, codes: Floats, generator: Generator, name: str, words: dict[str, Any]
) -> Direction:
    """A direction whose strength 1 is one standard deviation of the codes along the normal."""
    space = space_of(codes, generator)
    spread = spread_along(codes, found.normal)
    vector = found.normal * spread
    if space in ("w+", "w++"):
        vector = vector.reshape(generator.num_ws, generator.w_dim)
    return Direction(
        vector=vector,
        space=space,
        name=name,
        **made_for(generator),
        attribute=words["attribute"] or name,
        plus=words["plus"],
        bias=found.bias,
        method=f"{words['method']} on given scores (InterFaceGAN's chain)",
        samples=found.trained_on,
        accuracy=found.validation.accuracy,
    )


def spread_along(codes: Floats, normal: Floats) -> float:
    """The standard deviation of ``codes [N, ...]`` along the flattened normal, read in parts."""
    flat = np.asarray(normal, dtype=np.float64).reshape(-1)
    amounts = [codes[part].reshape(-1, flat.size) @ flat for part in parts(len(codes))]
    return float(np.concatenate(amounts).std())


@click.command("fit")
@click.argument("codes", type=FILE)
@click.argument("scores", type=FILE)
@click.option("--generator", required=True, metavar="NAME", help="Whose codes they are.")
@click.option("--name", required=True, help="What --set NAME=... will take.")
@click.option("--attribute", default="", help="What a scorer calls it.")
@click.option("--plus", default="", help="What a positive strength means.")
@click.option("--ends", default=0.02, show_default=True, help="Part (or number) at each end.")
@click.option(
    "--method",
    default="svm",
    show_default=True,
    type=click.Choice(list(SOLVERS)),
    help="What lays the boundary.",
)
@click.option("--split", default=0.7, show_default=True, help="Part of the ends to train on.")
@click.option("--invalid", type=float, help="The score that means: none.")
@click.option(
    "--seed", default=0, show_default=True, help="Of the split into training and held-out samples."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@json_option
def fit_command(
    codes: Path, scores: Path, generator: str, name: str, out: Path | None, **asked: Any
) -> None:
    """Train a boundary from CODES (.npy) and one score for each (.npy, .json, .csv)."""
    values = read_codes(codes)
    opened = latentfu.open_generator(generator)
    space_of(values, opened)
    found = train_boundary(
        values,
        read_scores(scores),
        asked["ends"],
        split=asked["split"],
        invalid=asked["invalid"],
        seed=asked["seed"],
        solver=SOLVERS[asked["method"]],
    )
    direction = as_direction(found, values, opened, name, asked)
    path = write_direction((out or own_folder()) / f"{name}.safetensors", direction)
    report = {
        "file": str(path),
        "space": read_direction(path).space,
        "trained_on": found.trained_on,
        "validation": confusion(found.validation),
        "remaining": confusion(found.remaining),
    }
    click.echo(json.dumps(report) if asked["as_json"] else sentences(path, found))


def confusion(told: Told) -> dict[str, Any]:
    """Counts on the right and the wrong side, by what they should be."""
    minus_right = told.right - told.right_plus
    return {
        "accuracy": told.accuracy,
        "plus_right": told.right_plus,
        "plus_wrong": told.plus - told.right_plus,
        "minus_right": minus_right,
        "minus_wrong": told.total - told.plus - minus_right,
    }


def sentences(path: Path, found: TrainedBoundary) -> str:
    """What a person wants to know."""
    held, rest = found.validation.accuracy, found.remaining.accuracy
    told = f"{held:.1%} of held-out samples" if held is not None else "no held-out samples"
    between = f", {rest:.1%} of those between the ends" if rest is not None else ""
    return f"{path}: trained on {found.trained_on}; tells apart {told}{between}."
