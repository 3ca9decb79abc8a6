"""The step that makes the shipped deformations: five that a person found worth a name.

Which ones they are was chosen by looking at the sheets of `latentfu deformations discover`, so the
choice holds for the weights it was made on, and for those that these were trained on to; for others
they are found again by the same searches, and a person should look at them before they are shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import latentfu
import torch
from latentfu import Generator, Progress, SheetRow, between, contact_sheet, random_latents
from torch import Tensor

from latentfu_builtin.deformations.deformation import (
    Deformation,
    read_deformation,
    write_deformation,
)
from latentfu_builtin.deformations.discover import Search, directions, measured
from latentfu_builtin.portraits.rebuild.grids import as_pixels, save


@dataclass(frozen=True)
class Choice:
    """A deformation that is shipped: where it is found, and what it is called."""

    method: str
    layer: int
    place: int
    sign: int
    name: str
    plus: str


COUNT, SAMPLES = 32, 8
ALIKE = 0.5
"""So much of a direction for earlier weights must lie in what is found, to be taken from there."""
SITTERS = 21
CHOSEN = (
    Choice("hessian", 4, 13, 1, "monocle", "one round lens over one eye"),
    Choice("hessian", 4, 16, -1, "visor", "one wide lens over both eyes"),
    Choice("hessian", 4, 3, 1, "hair_side", "hair on the right-hand side"),
    Choice("hessian", 4, 0, -1, "cap", "a soft cap on top"),
    Choice("hessian", 4, 5, 1, "laugh", "a laugh that narrows the eyes"),
)


def build_shipped_deformations(folder: Path | None, progress: Progress) -> None:
    """Replace the shipped deformations, or fill ``folder``."""
    from latentfu_builtin.portraits.plugin import DEFORMATIONS, NAME

    generator = latentfu.open_generator(NAME)
    out = folder / "deformations" if folder else DEFORMATIONS
    made = list(chosen_ones(generator, progress))
    for path in out.glob("*.safetensors"):
        path.unlink()
    for deformation in made:
        write_deformation(out / f"{deformation.name}.safetensors", deformation)


def chosen_ones(generator: Generator, progress: Progress) -> Iterator[Deformation]:
    """The deformations of CHOSEN, one search after the other."""
    searches = [(key, list(group)) for key, group in groupby(sorted(CHOSEN, key=where), key=where)]
    for place, ((method, layer), choices) in enumerate(searches):
        part = between(progress, place / len(searches), (place + 1) / len(searches))
        search = Search(generator, layer, method, COUNT, SAMPLES, beyond=True)
        rows = directions(search, between(part, 0.0, 0.6))
        picked = torch.stack([the_one(choice, rows) for choice in choices])
        found = measured(search, picked, between(part, 0.6, 1.0), method)
        for choice, deformation in zip(choices, found, strict=True):
            yield replace(
                deformation.named(choice.name, choice.plus),
                author="The Latent-Fu authors",
                licence="Apache-2.0",
                source=f"latentfu deformations discover --method {method} --layer {layer}",
            )


def the_one(choice: Choice, rows: Tensor) -> Tensor:
    """The direction ``[out, in, k, k]`` of a choice, from the orthonormal ``rows`` found.

    Eigenvectors come with either sign, and neighbours mix when the weights are trained on: what
    counts is the space that they span. The shipped one's part in it is taken, unless the weights
    are others altogether and that is little.
    """
    from latentfu_builtin.portraits.plugin import DEFORMATIONS

    path = DEFORMATIONS / f"{choice.name}.safetensors"
    shipped = read_deformation(path) if path.is_file() else None
    if shipped is not None and shipped.shift.shape == rows.shape[1:]:
        before = torch.from_numpy(shipped.shift).flatten().to(rows)
        before = before / before.norm()
        part: Tensor = (rows.flatten(1) @ before) @ rows.flatten(1)
        if float(part.norm()) >= ALIKE:
            return part.div(part.norm()).view(rows.shape[1:])
    return rows[choice.place] * choice.sign


def where(choice: Choice) -> tuple[str, int]:
    """The search that a choice belongs to."""
    return choice.method, choice.layer


@torch.no_grad()
def build_deformation_sheet(folder: Path | None, progress: Progress) -> None:
    """The documentation's picture: each shipped deformation at -1, 0 and 1 on three people."""
    from latentfu_builtin.portraits.plugin import NAME

    generator = latentfu.open_generator(NAME)
    latents = random_latents(generator, 3, SITTERS, psi=0.75)
    shipped = [c for c in latentfu.controls(NAME).values() if c.kind == "deformation"]
    rows = []
    for place, control in enumerate(shipped):
        progress(place / len(shipped), control.title)
        mover = control.load()
        drawn = [generator.render(mover.move(latents, s, generator)) for s in (-1.0, 0.0, 1.0)]
        pictures = torch.stack(drawn, dim=1).flatten(0, 1)  # [3 people * 3 strengths, 3, R, R]
        rows.append(SheetRow(control.title, f"+ is {control.positive_means}", as_pixels(pictures)))
    save(contact_sheet(rows, ["-1", "0", "+1"] * 3, blocks=1), folder, "deformations.jpg")
