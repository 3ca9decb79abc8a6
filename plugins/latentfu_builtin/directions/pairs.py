"""``latentfu directions pairs``: a direction from pictures that differ in one thing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
import torch
from latentfu import BadInputError, Direction, Generator, json_option, progress_bar, write_direction

from latentfu_builtin.directions import cli
from latentfu_builtin.directions.chain import measured, space_of
from latentfu_builtin.directions.own import own_folder
from latentfu_builtin.directions.samples import made_for
from latentfu_builtin.directions.sorted_pictures import ENDINGS, How, read_pictures

PATH = click.Path(path_type=Path)


def paired(before: Path, after: Path) -> list[tuple[Path, Path]]:
    """Two files, or the files of two folders that have the same name; raises BadInputError."""
    if before.is_file() and after.is_file():
        return [(before, after)]
    if not before.is_dir() or not after.is_dir():
        raise BadInputError("Give two pictures, or two folders with pictures of the same names.")
    names = {p.stem: p for p in after.iterdir() if p.suffix.lower() in ENDINGS}
    found = [
        (path, names[path.stem])
        for path in sorted(before.iterdir())
        if path.suffix.lower() in ENDINGS and path.stem in names
    ]
    if not found:
        raise BadInputError(f"No picture of {before} has one of the same name in {after}.")
    return found


@dataclass(frozen=True)
class Spread:
    """How alike the pairs' steps are. ``agreement``: the mean cosine of each step with the mean
    of all others, 1 when all are alike. ``length``: the standard deviation of how far the steps
    go along their mean, as a part of its length. Of one pair 1 and 0."""

    agreement: float = 1.0
    length: float = 0.0


def mean_difference(codes: torch.Tensor) -> tuple[torch.Tensor, Spread]:
    """Codes ``[2P, ...]``, before and after in turn -> the mean step and how alike they are."""
    steps = codes[1::2] - codes[0::2]  # [P, ...]
    mean = steps.mean(dim=0)
    if not float(mean.norm()) > 1e-6:
        raise BadInputError("The pictures of the pairs do not differ: nothing can be learned.")
    if len(steps) == 1:
        return mean, Spread()
    others = (steps.sum(dim=0) - steps) / (len(steps) - 1)
    cosines = torch.cosine_similarity(steps.flatten(1), others.flatten(1))
    along = (steps * mean).flatten(1).sum(dim=1) / mean.square().sum()
    return mean, Spread(float(cosines.mean()), float(along.std()))


@click.command("pairs")
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--name", required=True, help="What --set NAME= will take.")
@click.option("--attribute", default="", help="What a scorer calls it.")
@click.option("--plus", default="", help="What a positive strength means, for people.")
@click.option(
    "--space",
    type=click.Choice(["w", "w+"]),
    default="w",
    show_default=True,
    help="Latent space of the direction.",
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
def pairs_command(
    before: Path, after: Path, generator: str | None, out: Path | None, as_json: bool, **asked: Any
) -> None:  # fmt: skip
    """Make a direction of what leads from BEFORE to AFTER: two pictures, or two folders.

    Strength 1 is the mean difference, unless a scorer reads the attribute: then it is one
    standard deviation of that.
    """
    opened = latentfu.open_generator(generator or next(iter(latentfu.generators()), "portraits"))
    folder, listed = out or own_folder(), paired(before, after)
    cli.refuse_taken(asked["name"], folder, opened)
    how = How(asked["inverter"], None if asked["inverter"] else asked["quality"])
    with progress_bar("Inverting", quiet=as_json) as progress:
        flat = [(path, 0.0) for pair in listed for path in pair]
        codes = read_pictures(flat, opened, how, progress).codes
        if asked["space"] == "w" and codes.ndim == 3 and opened.spaces[-1] != "w++":
            codes = codes.mean(dim=1)
        direction, spread = of_pairs(codes, opened, asked)
    path = write_direction(folder / f"{asked['name']}.safetensors", direction)
    if as_json:
        told = {"agreement": spread.agreement, "spread": spread.length}
        click.echo(json.dumps({"file": str(path), **told, **direction.facts()}))
        return
    click.echo(
        f"{path}: {len(listed)} pairs, agreement {spread.agreement:.2f} (1 is all alike), their "
        f"lengths spread by {spread.length:.0%}; moves also {cli.leaks(direction)}."
    )


def of_pairs(
    codes: torch.Tensor, generator: Generator, asked: dict[str, Any]
) -> tuple[Direction, Spread]:
    """The direction of the pairs' codes, measured, and how alike they are."""
    vector, spread = mean_difference(codes)
    normal = vector / vector.norm()
    middle = float((codes.mean(dim=0) * normal).sum())
    direction = Direction(
        vector=np.asarray(vector.numpy(), dtype=np.float32),
        space=space_of(tuple(vector.shape), generator),
        name=asked["name"],
        **made_for(generator),
        attribute=asked["attribute"],
        plus=asked["plus"],
        group="own",
        unit="the pairs' mean difference",
        bias=-middle,
        method=f"mean difference of pairs that agree by {spread.agreement:.2f}, their lengths "
        f"spread by {spread.length:.2f}",
        samples=len(codes) // 2,
    )
    scorer = cli.scorer_for(generator.domain)
    return measured(direction, generator, scorer, 0, latentfu.silent), spread
