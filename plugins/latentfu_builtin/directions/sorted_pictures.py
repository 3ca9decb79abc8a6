"""Pictures that a person has sorted into folders, or scored in a file, and their codes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError, Generator, Progress
from torch import Tensor

from latentfu_builtin.directions.numbered import Number, latents_of, number_of, opened

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Pictures:
    """``codes [N, num_ws, w_dim]`` (or ``[N, D]`` where there is one code only) on the CPU, and
    what each picture was given: ``labels [N]``, a folder's number or a score. ``numbers [N]``:
    which sample of the generator it is, None for one that was inverted."""

    paths: list[Path]
    codes: Tensor
    labels: npt.NDArray[np.float64]
    numbers: list[Number | None]

    @property
    def inverted(self) -> int:
        """How many had to be inverted."""
        return self.numbers.count(None)


@dataclass(frozen=True)
class How:
    """How pictures that are no samples of the generator are inverted."""

    inverter: str | None = None
    quality: str | None = None


def in_folders(folders: Sequence[Path]) -> list[tuple[Path, float]]:
    """The pictures of each folder with its number; BadInputError for one that has none."""
    found = []
    for number, folder in enumerate(folders):
        if not folder.is_dir():
            raise BadInputError(f"There is no folder {folder}.")
        paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in ENDINGS]
        if not paths:
            raise BadInputError(f"The folder {folder} has no pictures: all would be of one kind.")
        found += [(path, float(number)) for path in paths]
    return found


def with_scores(folder: Path, file: Path) -> list[tuple[Path, float]]:
    """The pictures that a .csv file (name, score) gives a score; BadInputError."""
    try:
        with file.open(newline="", encoding="utf-8") as opened_file:
            rows = [row for row in csv.reader(opened_file) if len(row) >= 2]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInputError(f"{file} can not be read as names and scores: {error}.") from error
    found = []
    for row in rows:
        try:
            score = float(row[-1])
        except ValueError:
            continue
        path = folder / row[0]
        if not path.is_file():
            raise BadInputError(f"{file} names {row[0]}, which is not in {folder}.")
        found.append((path, score))
    if not found:
        raise BadInputError(f"{file} gives no picture a score: write lines like name.png,0.7.")
    return found


def read_pictures(
    listed: Sequence[tuple[Path, float]], generator: Generator, how: How, progress: Progress
) -> Pictures:
    """Their codes: drawn again for samples of the generator, found by inversion for others.

    Inversions are kept, so that a run which was broken off goes on where it was.
    """
    codes: list[Tensor] = []
    numbers: list[Number | None] = []
    for done, (path, _) in enumerate(listed):
        progress(done / len(listed), f"Finding the codes of {path.name}")
        number = number_of(path, generator)
        if number is not None:
            found = latents_of(generator, number.seed, [number.number]).codes
        else:
            found = inversion(path, generator, how)
        numbers.append(number)
        codes.append(found.detach().float().cpu())
    labels = np.array([label for _, label in listed])
    return Pictures(
        [path for path, _ in listed], torch.cat(alike(codes, generator)), labels, numbers
    )


def inversion(path: Path, generator: Generator, how: How) -> Tensor:
    """The code of a picture, ``[1, ...]``; BadInputError, naming it, when there is none."""
    try:
        found: Any = latentfu.invert(
            opened(path), generator=generator, inverter=how.inverter, quality=how.quality
        )
    except BadInputError as error:
        raise BadInputError(f"{path} can not be used: {error}") from error
    codes: Tensor = found.latent.codes
    return codes


def alike(codes: list[Tensor], generator: Generator) -> list[Tensor]:
    """All with an axis of layers where any has one."""
    if all(item.ndim == codes[0].ndim for item in codes):
        return codes
    layers = generator.num_ws
    return [item if item.ndim == 3 else item[:, None].expand(-1, layers, -1) for item in codes]
