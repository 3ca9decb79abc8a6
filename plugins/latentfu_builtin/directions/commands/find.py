"""``latentfu directions find`` and ``latentfu directions keep``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from latentfu import (
    BadInputError,
    Direction,
    json_option,
    own_directions_dir,
    progress_bar,
    refuse_taken_name,
    save_direction,
    write_direction,
)

from latentfu_builtin.directions.commands.common import LAYER_RANGE, open_generator_or_first
from latentfu_builtin.directions.find_directions import (
    FIND_METHODS,
    draw_found_directions,
    find_directions,
)


def _parse_names(said: tuple[str, ...], count: int) -> dict[int, str]:
    """``3=smile`` as {3: "smile"}; raises BadInputError."""
    found: dict[int, str] = {}
    for text in said:
        number, equals, name = text.partition("=")
        if not equals or not number.isdigit() or not name.strip():
            raise BadInputError(f"{text!r} is not like 3=smile (a number of the sheet and a name).")
        if int(number) >= count:
            raise BadInputError(
                f"There are the numbers 0 to {count - 1}: {text} is not among them."
            )
        found[int(number)] = name.strip()
    return found


@click.command("find")
@click.option(
    "--method",
    type=click.Choice(list(FIND_METHODS)),
    default="pca",
    show_default=True,
    help="How directions are looked for.",
)
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option(
    "--count",
    default=16,
    show_default=True,
    type=click.IntRange(1, 512),
    help="How many directions.",
)
@click.option("--layers", type=LAYER_RANGE, metavar="FIRST-LAST", help="The only layers they move.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of a sheet.")
@click.option("--name", "names", multiple=True, metavar="3=NAME", help="Keep number 3 as NAME.")
@click.option("--flip", is_flag=True, help="Turn round those that are kept.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**31),
    help="Of the latents that are drawn.",
)
@json_option
def find_command(
    method: str, generator: str | None, count: int, out: Path | None, as_json: bool, **asked: Any
) -> None:  # fmt: skip
    """Find directions without labels; look at the sheet, then keep some by --name."""
    opened = open_generator_or_first(generator)
    names = _parse_names(asked["names"], count)
    if out is None and not names:
        raise BadInputError("Give --out for a sheet to look at, or --name 3=smile to keep one.")
    for name in names.values():
        refuse_taken_name(name, own_directions_dir(), opened)
    with progress_bar("Finding", quiet=as_json) as progress:
        found = find_directions(
            opened, method, count, layers=asked["layers"], seed=asked["seed"], progress=progress
        )
        files = [] if out is None else _write_found(found, opened, out, asked["seed"], progress)
    kept = [_keep_direction(found[number], name, asked["flip"]) for number, name in names.items()]
    if as_json:
        written = {"files": [str(path) for path in files], "kept": [str(path) for path in kept]}
        click.echo(json.dumps(written))
        return
    for path in (*files[:1], *kept):
        click.echo(str(path))


def _write_found(
    found: list[Direction], generator: Any, out: Path, seed: int, progress: Any
) -> list[Path]:
    """The sheet and a file for each direction in ``out``."""
    picture = draw_found_directions(found, generator, seed + 1, progress)
    out.mkdir(parents=True, exist_ok=True)
    picture.save(out / "sheet.png")
    written = [write_direction(out / f"{item.name}.safetensors", item) for item in found]
    return [out / "sheet.png", *written]


def _keep_direction(direction: Direction, name: str, flip: bool) -> Path:
    """Put one among the user's own directions."""
    sign = -1.0 if flip else 1.0
    kept = replace(
        direction, name=name, vector=sign * direction.vector, bias=sign * direction.bias,
        attribute=name, group="own", plus=f"more {name.replace('_', ' ')}",
    )  # fmt: skip
    return save_direction(kept)
