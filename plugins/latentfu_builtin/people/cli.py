"""`latentfu render people`: a sheet of people who never lived."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import click
import numpy as np
from latentfu import BadInputError, json_option, progress_bar, write_image

from latentfu_builtin.people.camera import Framing
from latentfu_builtin.people.factors import check_factors, sample_factors
from latentfu_builtin.people.mesh import Array

# One color for each region, in the order of REGIONS.
_COLORS = np.array(
    [
        (40, 40, 48), (232, 190, 160), (250, 250, 250), (96, 60, 30), (230, 150, 120),
        (210, 60, 80), (255, 250, 220), (60, 90, 160), (240, 140, 60), (190, 150, 120),
        (70, 150, 90), (20, 20, 20), (150, 80, 170), (250, 210, 40),
    ],
    np.uint8,
)  # fmt: skip


@click.command("people")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Sheet: .png or .jpg."
)
@click.option("--count", default=16, show_default=True, type=click.IntRange(1), help="People.")
@click.option("--seed", default=0, show_default=True, help="The first one's seed.")
@click.option(
    "--size", default=256, show_default=True, type=click.IntRange(32, 2048), help="Pixels each."
)
@click.option(
    "--factors",
    "factors_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON object of factors that are set for all.",
)
@click.option(
    "--framing", default="wide", show_default=True, type=click.Choice(["wide", "face"]),
    help="Head and shoulders, or the face as an aligner cuts it.",
)  # fmt: skip
@click.option("--regions", is_flag=True, help="A row of regions under each row of pictures.")
@json_option
def render_people_command(
    *,
    output: Path,
    count: int,
    seed: int,
    size: int,
    factors_file: Path | None,
    framing: Framing,
    regions: bool,
    as_json: bool,
) -> None:
    """Render a sheet of people who never lived; needs anny and moderngl."""
    from latentfu_builtin.people.renderer import PeopleRenderer

    if output.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise BadInputError(f"{output.name} must end in .png or .jpg.")
    fixed = _read_factors(factors_file) if factors_file else {}
    renderer = PeopleRenderer(size, framing=framing)
    begun, drawn = time.perf_counter(), []
    with progress_bar("Rendering people", quiet=as_json) as progress:
        for i in range(count):
            progress(i / count, f"Rendering {i + 1} of {count}")
            person = {**sample_factors(seed + i), **fixed}
            drawn.append(renderer.render(person, seed + i, with_truth=regions))
    pace = count / (time.perf_counter() - begun)
    sheet = _tile([[p.pixels] + ([_COLORS[p.regions]] if regions else []) for p in drawn])
    _write_sheet(sheet, output)
    answer = {"file": str(output), "count": count, "pictures_per_second": round(pace, 2)}
    click.echo(json.dumps(answer) if as_json else f"{output}: {count} people, {pace:.1f} a second")


def _read_factors(path: Path) -> dict[str, float]:
    """Factors of a JSON file; BadInputError when it holds anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        chosen = {str(name): float(value) for name, value in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path.name} must hold a JSON object of factors and numbers.") from (
            error
        )
    check_factors(chosen)
    return chosen


def _tile(cells: list[list[Array]]) -> Array:
    """Cells (each a column of pictures) side by side, in about as many rows as columns."""
    across = math.ceil(math.sqrt(len(cells)))
    columns = [np.concatenate(cell, 0) for cell in cells]
    blank = np.zeros_like(columns[0])
    columns += [blank] * (-len(columns) % across)
    rows = [np.concatenate(columns[i : i + across], 1) for i in range(0, len(columns), across)]
    return np.concatenate(rows, 0)


def _write_sheet(sheet: Array, output: Path) -> None:
    from PIL import Image

    write_image(output, Image.fromarray(sheet), quality=88)
