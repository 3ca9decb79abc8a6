"""``latentfu bench photographs``: what edits leave of photographs, by the installed network alone.

A network's own figures say nothing about a person's picture. Here a folder of photographs is edited
and looked at: is what changed as sharp as before, does its border show, is there still one face
where there was one, is gray still gray, and how long did a person wait.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
import numpy.typing as npt
from latentfu import (
    PICTURE_FORMATS,
    BadInputError,
    LatentFuError,
    Strength,
    json_option,
    progress_bar,
    write_whole,
)
from PIL import Image

from latentfu_builtin.faces.detect import detect_faces

Rgb = npt.NDArray[np.uint8]
_EDITS = ("smile=2", "smile=-2", "age=2", "age=-2", "yaw=1", "yaw=-1", "hair_lightness=-2")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_CHANGED = 8
"""Levels by which a pixel must differ to count as changed."""
_GRAY = 2
"""Levels between channels up to which a picture is gray."""
_CELL = 240


@dataclass(frozen=True)
class _EditedPhotograph:
    """What an edit did to one photograph.

    Attributes:
        sharpness: Mean absolute Laplacian of the changed part, against the same part before.
        seam: How much steeper the picture is across the border of the changed part than before,
            in levels.
        changed: Part of the pixels that changed.
        faces: Faces after the edit less faces before: -1 is a lost one, 1 a doubled one.
        off_gray: Largest difference of channels, in levels; None for a picture with colors.
        seconds: By the clock, the inversion left out.
    """

    sharpness: float
    seam: float
    changed: float
    faces: int
    off_gray: int | None
    seconds: float


def _measure_photographs(
    folder: Path, edits: Mapping[str, Mapping[str, float]], count: int
) -> Iterator[tuple[str, str, Rgb, _EditedPhotograph | str]]:
    """Each photograph's name, the edit's, the picture, and what was measured or went wrong.

    The first picture of a photograph is itself, with an empty edit and the seconds that its
    inversion took as text.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS)[:count]
    if not paths:
        raise BadInputError(f"There is no picture in {folder}: name a folder of photographs.")
    for path in paths:
        with Image.open(path, formats=PICTURE_FORMATS) as image:
            before = np.asarray(image.convert("RGB"))
        began = time.perf_counter()
        try:
            latentfu.invert(before)
        except LatentFuError as error:
            yield path.stem, "", before, str(error)
            continue
        yield path.stem, "", before, f"{time.perf_counter() - began:.3f}"
        for name, strengths in edits.items():
            began = time.perf_counter()
            try:
                after = latentfu.edit(before, strengths)
            except LatentFuError as error:
                yield path.stem, name, before, str(error)
                continue
            seconds = time.perf_counter() - began
            yield path.stem, name, after, compare_pictures(before, after, seconds)


def compare_pictures(before: Rgb, after: Rgb, seconds: float) -> _EditedPhotograph:
    """What an edit did, from the two pictures ``[H, W, 3]``."""
    far = np.abs(after.astype(np.int16) - before).max(axis=2) > _CHANGED  # [H, W]
    rows, columns = np.where(far)
    where = (slice(None), slice(None))
    if len(rows):
        where = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    kept = _measure_sharpness(after[where]) / max(_measure_sharpness(before[where]), 1e-6)
    spread = [int(np.ptp(picture.astype(np.int16), axis=2).max()) for picture in (before, after)]
    return _EditedPhotograph(
        sharpness=kept,
        seam=_measure_seam(before, after, far),
        changed=float(far.mean()),
        faces=len(detect_faces(after)) - len(detect_faces(before)),
        off_gray=spread[1] if spread[0] <= _GRAY else None,
        seconds=seconds,
    )


def _measure_sharpness(picture: Rgb) -> float:
    """Mean absolute Laplacian of ``[H, W, 3]``, in levels; 0 for less than 3 x 3 pixels."""
    gray = picture.astype(np.float32).mean(axis=2)
    if min(gray.shape) < 3:
        return 0.0
    inner = 4 * gray[1:-1, 1:-1]
    return float(
        np.abs(inner - gray[:-2, 1:-1] - gray[2:, 1:-1] - gray[1:-1, :-2] - gray[1:-1, 2:]).mean()
    )


def _measure_seam(before: Rgb, after: Rgb, far: npt.NDArray[np.bool_]) -> float:
    """Mean step across the border of the changed part, beyond the step that was there."""
    steps = []
    for axis in (0, 1):
        border = np.diff(far.astype(np.int8), axis=axis) != 0
        if border.any():
            grays = [picture.astype(np.float32).mean(axis=2) for picture in (before, after)]
            was, is_now = (np.abs(np.diff(gray, axis=axis))[border] for gray in grays)
            steps.append(is_now - was)
    return float(np.concatenate(steps).mean()) if steps else 0.0


def _summarize_edits(found: Sequence[tuple[str, _EditedPhotograph | str]]) -> list[dict[str, Any]]:
    """One row an edit: means over the photographs, the lowest sharpness, and what went wrong."""
    rows = []
    for edit in dict.fromkeys(name for name, _ in found):
        good = [one for name, one in found if name == edit and isinstance(one, _EditedPhotograph)]
        gray = [one.off_gray for one in good if one.off_gray is not None]
        row: dict[str, Any] = {
            "edit": edit,
            "photographs": len(good),
            "errors": sum(name == edit for name, _ in found) - len(good),
        }
        if good:
            row |= {
                "sharpness": round(float(np.mean([one.sharpness for one in good])), 3),
                "lowest_sharpness": round(min(one.sharpness for one in good), 3),
                "seam": round(float(np.mean([one.seam for one in good])), 2),
                "changed": round(float(np.mean([one.changed for one in good])), 3),
                "faces_lost": sum(one.faces < 0 for one in good),
                "faces_doubled": sum(one.faces > 0 for one in good),
                "off_gray": max(gray, default=None),
                "seconds": round(float(np.mean([one.seconds for one in good])), 3),
            }
        rows.append(row)
    return rows


def _draw_sheet(pictures: Mapping[str, Sequence[Rgb]]) -> Image.Image:
    """One row a photograph: itself and its edits, each within ``_CELL`` pixels."""
    columns = max(map(len, pictures.values()))
    sheet = Image.new("RGB", (columns * _CELL, len(pictures) * _CELL), (250, 250, 248))
    for row, cells in enumerate(pictures.values()):
        for column, pixels in enumerate(cells):
            cell = Image.fromarray(pixels)
            cell.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
            sheet.paste(cell, (column * _CELL, row * _CELL))
    return sheet


@click.command("photographs")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--set",
    "sets",
    multiple=True,
    type=Strength(),
    metavar="NAME=NUMBER",
    help=f"An edit to try, repeatable (default: {' '.join(_EDITS)}).",
)
@click.option(
    "--count",
    default=24,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many photographs, by their names.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for sheet.png and report.json.",
)
@json_option
def photographs_command(
    folder: Path,
    sets: tuple[tuple[str, float], ...],
    count: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Edit the photographs of FOLDER with the installed network and measure what is left of them.

    Sharpness 1 is the photograph's own; a seam of 0 does not show. A person's faces count by the
    built-in detector. The sheet shows each photograph and its edits: look at it.
    """
    sets = sets or tuple(Strength().convert(text, None, None) for text in _EDITS)
    edits = {f"{name}={strength:g}": {name: strength} for name, strength in sets}
    found: list[tuple[str, _EditedPhotograph | str]] = []
    pictures: dict[str, list[Rgb]] = {}
    inversions: list[str] = []
    total = count * (len(edits) + 1)
    with progress_bar("Editing", quiet=as_json) as progress:
        for done, (name, edit, picture, told) in enumerate(
            _measure_photographs(folder, edits, count), 1
        ):
            pictures.setdefault(name, []).append(picture)
            if edit:
                found.append((edit, told))
            else:
                inversions.append(str(told))
            progress(min(done / total, 1.0), f"{name} {edit}")
    rows = _summarize_edits(found)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        _draw_sheet(pictures).save(output / "sheet.png")
        report = json.dumps({"edits": rows, "inversion": inversions}, indent=2)
        write_whole(output / "report.json", report.encode())
    if as_json:
        click.echo(json.dumps({"edits": rows, "photographs": len(pictures)}))
        return
    for row in rows:
        click.echo("  ".join(f"{key} {value}" for key, value in row.items()))
