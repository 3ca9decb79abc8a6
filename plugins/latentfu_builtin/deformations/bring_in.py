"""Taking in deformations that others found: a file, a folder or an archive of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from latentfu import BadInputError, Generator, LatentFuError, Progress, random_latents

from latentfu_builtin.deformations.archive import files_of, notes_of, unpacked, usable_name
from latentfu_builtin.deformations.calibrate import Bench
from latentfu_builtin.deformations.deformation import Deformation
from latentfu_builtin.deformations.discover import distance_of
from latentfu_builtin.deformations.foreign import as_deformations, read_set
from latentfu_builtin.deformations.layer import Convolution

SAMPLES, SEED = 8, 20
ONE_FILE = (".pt", ".pth", ".pkl")
"""Endings of a file by itself; of anything else, archives and folders are taken."""


@dataclass(frozen=True)
class Taking:
    """How foreign deformations are taken in.

    ``name``: of a file's deformation (numbered where it holds several); "" is the file's own.
    ``layer`` and ``basis``: as ``read_set`` takes them. ``directions``: only these of a file with
    several. ``shift``: the norm that strength 1 gets where the file gives none; None measures it,
    so that strength 1 is a clear change.
    """

    generator: Generator
    name: str = ""
    plus: str = ""
    group: str = "published deformations"
    layer: int | None = None
    basis: Path | None = None
    directions: Sequence[int] = ()
    shift: float | None = None
    author: str = ""
    licence: str = ""
    source: str = ""


def take_in(
    path: Path, taking: Taking, progress: Progress, left_out: list[str] | None = None
) -> list[Deformation]:
    """The deformations in a .pt (.pth, .pkl) file, a .tar or .zip archive, or a folder.

    In archives and folders every file is named after itself, or as the notes beside it say; files
    that do not fit are an error only when none does; else ``left_out`` gets a sentence for each.
    Raises BadInputError in one sentence.
    """
    if path.is_file() and path.suffix in ONE_FILE:
        return of_file(path, taking, {}, progress)
    found: list[Deformation] = []
    refused: list[LatentFuError] = []
    with unpacked(path) as folder:
        files, notes = files_of(folder, path), notes_of(folder)
        for place, file in enumerate(files):
            progress(place / len(files), file.name)
            try:
                part = replace(taking, name="", source=taking.source or path.name)
                found += of_file(file, part, notes, lambda _part, _text="": None)
            except LatentFuError as error:
                # Where an archive was unpacked is nobody's business.
                refused.append(type(error)(str(error).replace(str(folder), str(path))))
    if not found:
        raise refused[0]
    if left_out is not None:
        left_out += [str(error) for error in refused]
    return found


def of_file(
    path: Path, taking: Taking, notes: dict[str, str], progress: Progress
) -> list[Deformation]:
    """The deformations of one file, named, and scaled where the file does not say how far."""
    published = read_set(path, taking.generator, taking.layer, taking.basis)
    name = taking.name or usable_name(path.stem)
    made = as_deformations(published, taking.generator, name, taking.source or path.name)
    chosen = taking.directions or range(len(made))
    if not set(chosen) <= set(range(len(made))):
        raise BadInputError(f"{path} holds the directions 0 to {len(made) - 1} only.")
    result = []
    for count, place in enumerate(chosen):
        progress(count / len(chosen), f"Direction {place}")
        one = replace(
            made[place],
            plus=taking.plus,
            group=taking.group,
            author=taking.author or made[place].author,
            licence=taking.licence,
        )
        told = notes.get(str(place) if len(made) > 1 else path.name) or notes.get(path.stem, "")
        if told and len(made) > 1:
            one = replace(one, name=usable_name(told))
        one = replace(one, plus=one.plus or told)
        result.append(one if published.scaled else scaled(one, taking))
    return result


def scaled(deformation: Deformation, taking: Taking) -> Deformation:
    """``deformation`` (of norm 1) as long as strength 1 should be."""
    if taking.shift is not None:
        return replace(deformation, shift=deformation.shift * taking.shift)
    generator = taking.generator
    latents = random_latents(generator, SAMPLES, SEED, psi=0.8)
    bench = Bench(Convolution(generator, deformation.layer), latents, distance_of(generator, ""))
    shift = bench.calibrated(torch.from_numpy(deformation.shift).to(generator.device))
    return replace(deformation, shift=shift.cpu().numpy())
