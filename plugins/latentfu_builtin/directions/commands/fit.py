"""``latentfu directions fit`` and ``pairs``: a direction from codes and scores, or from pairs."""

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
    choose_scorer,
    json_option,
    own_directions_dir,
    progress_bar,
    read_direction,
    refuse_taken_name,
    save_direction,
)

from latentfu_builtin.directions.boundaries import Doubles, TrainedBoundary, iterate_slices
from latentfu_builtin.directions.commands.common import (
    describe_leaks,
    open_generator_or_first,
)
from latentfu_builtin.directions.pairs import PairWords, average_layers, direction_from_pairs
from latentfu_builtin.directions.plane_solvers import SOLVERS, Reals
from latentfu_builtin.directions.seeded_samples import describe_weights
from latentfu_builtin.directions.train_direction import (
    TrainingData,
    TrainingSettings,
    fit_boundary,
)
from latentfu_builtin.directions.training_data import (
    PICTURE_ENDINGS,
    InversionChoice,
    read_picture_codes,
)

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PATH = click.Path(path_type=Path)


def _read_codes(path: Path) -> Reals:
    """Codes ``[N, ...]`` mapped from a .npy file; BadInputError for pickles and other types."""
    try:
        codes = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError) as error:
        raise BadInputError(f"{path} cannot be read as an array of numbers: {error}.") from error
    if not isinstance(codes, np.ndarray) or not np.issubdtype(codes.dtype, np.floating):
        raise BadInputError(f"{path} holds no codes: it must be one .npy array of floats.")
    return codes


def _read_scores(path: Path) -> Doubles:
    """Scores ``[N]`` of a .npy, .json or .csv file (its last column; a headline is skipped)."""
    try:
        if path.suffix == ".npy":
            # Mapped, so that a header cannot ask for more memory than the file has.
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            return np.asarray(mapped, dtype=np.float64).reshape(-1)
        if path.suffix == ".json":
            return np.asarray(json.loads(path.read_text()), dtype=np.float64).reshape(-1)
        with path.open(newline="", encoding="utf-8") as file:
            column = [row[-1] for row in csv.reader(file) if row]
        return np.asarray(column[1:] if not _is_number(column[0]) else column, dtype=np.float64)
    except (OSError, ValueError, TypeError, IndexError, EOFError, OverflowError) as error:
        raise BadInputError(f"{path} cannot be read as scores: {error}.") from error


def _is_number(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def space_of_codes(codes: Reals, generator: Generator) -> Space:
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


def _direction_from_boundary(
    found: TrainedBoundary, codes: Reals, generator: Generator, name: str, words: dict[str, Any]
) -> Direction:
    """A direction whose strength 1 is one standard deviation of the codes along the normal."""
    space = space_of_codes(codes, generator)
    spread = _spread_along_codes(codes, found.normal)
    vector = found.normal * spread
    if space in ("w+", "w++"):
        vector = vector.reshape(generator.num_ws, generator.w_dim)
    return Direction(
        vector=vector,
        space=space,
        name=name,
        **describe_weights(generator),
        attribute=words["attribute"] or name,
        plus=words["plus"],
        bias=found.bias,
        method=f"{words['method']} on given scores (InterFaceGAN's chain)",
        samples=found.trained_on,
        accuracy=found.validation.accuracy,
    )


def _spread_along_codes(codes: Reals, normal: Reals) -> float:
    """The standard deviation of ``codes [N, ...]`` along the flattened normal, read in parts."""
    flat = np.asarray(normal, dtype=np.float64).reshape(-1)
    amounts = [codes[part].reshape(-1, flat.size) @ flat for part in iterate_slices(len(codes))]
    return float(np.concatenate(amounts).std())


@click.command("fit")
@click.argument("codes", type=_FILE)
@click.argument("scores", type=_FILE)
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
@click.option("--seed", default=0, show_default=True, help="Of the samples and of their split.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@json_option
def fit_command(
    codes: Path, scores: Path, generator: str, name: str, out: Path | None, **asked: Any
) -> None:
    """Train a boundary from CODES (.npy) and one score for each (.npy, .json, .csv)."""
    values = _read_codes(codes)
    opened = latentfu.open_generator(generator)
    space_of_codes(values, opened)
    settings = TrainingSettings(
        method=asked["method"],
        ends=asked["ends"],
        split=asked["split"],
        seed=asked["seed"],
        invalid=asked["invalid"],
    )
    found, _ = fit_boundary(TrainingData(values, _read_scores(scores)), settings)
    direction = _direction_from_boundary(found, values, opened, name, asked)
    path = save_direction(direction, out)
    report = {
        "file": str(path),
        "space": read_direction(path).space,
        "trained_on": found.trained_on,
        "validation": found.validation.as_json(),
        "remaining": found.remaining.as_json(),
    }
    click.echo(json.dumps(report) if asked["as_json"] else _describe_boundary(path, found))


def _describe_boundary(path: Path, found: TrainedBoundary) -> str:
    """What a person wants to know."""
    held, rest = found.validation.accuracy, found.remaining.accuracy
    told = f"{held:.1%} of held-out samples" if held is not None else "no held-out samples"
    between = f", {rest:.1%} of those between the ends" if rest is not None else ""
    return f"{path}: trained on {found.trained_on}; tells apart {told}{between}."


def _pair_pictures(before: Path, after: Path) -> list[tuple[Path, Path]]:
    """Two files, or the files of two folders that have the same name; raises BadInputError."""
    if before.is_file() and after.is_file():
        return [(before, after)]
    if not before.is_dir() or not after.is_dir():
        raise BadInputError("Give two pictures, or two folders with pictures of the same names.")
    names = {p.stem: p for p in after.iterdir() if p.suffix.lower() in PICTURE_ENDINGS}
    found = [
        (path, names[path.stem])
        for path in sorted(before.iterdir())
        if path.suffix.lower() in PICTURE_ENDINGS and path.stem in names
    ]
    if not found:
        raise BadInputError(f"No picture of {before} has one of the same name in {after}.")
    return found


@click.command("pairs")
@click.argument("before", type=_PATH)
@click.argument("after", type=_PATH)
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--name", required=True, help="What --set NAME= will take.")
@click.option("--attribute", default="", help="What a scorer calls it.")
@click.option("--plus", default="", help="What a positive strength means, for people.")
@click.option(
    "--space",
    type=click.Choice(["w", "w+"]),
    default="w",
    show_default=True,
    help="The latent space of the direction.",
)
@click.option("--inverter", metavar="NAME", help="Default: the best for --quality.")
@click.option(
    "--quality",
    type=click.Choice(["draft", "good", "best"]),
    default="draft",
    help="How well the pictures are inverted.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@json_option
def direction_pairs_command(
    before: Path, after: Path, generator: str | None, out: Path | None, as_json: bool, **asked: Any
) -> None:  # fmt: skip
    """Make a direction of what leads from BEFORE to AFTER: two pictures, or two folders.

    Strength 1 is the mean difference, unless a scorer reads the attribute: then it is one
    standard deviation of that.
    """
    opened = open_generator_or_first(generator)
    folder, listed = out or own_directions_dir(), _pair_pictures(before, after)
    refuse_taken_name(asked["name"], folder, opened)
    how = InversionChoice(asked["inverter"], None if asked["inverter"] else asked["quality"])
    with progress_bar("Inverting", quiet=as_json) as progress:
        flat = [(path, 0.0) for pair in listed for path in pair]
        codes = read_picture_codes(flat, opened, how, progress).codes
        if asked["space"] == "w":
            codes = average_layers(codes, opened)
        words = PairWords(asked["name"], asked["attribute"], asked["plus"])
        direction, spread = direction_from_pairs(
            codes, opened, words, choose_scorer(opened.domain, words.attribute), latentfu.silent
        )
    path = save_direction(direction, folder)
    if as_json:
        told = {"agreement": spread.agreement, "spread": spread.length}
        click.echo(json.dumps({"file": str(path), **told, **direction.facts()}))
        return
    click.echo(
        f"{path}: {len(listed)} pairs, agreement {spread.agreement:.2f} (1 is all alike), their "
        f"lengths spread by {spread.length:.0%}; {describe_leaks(direction)}."
    )
