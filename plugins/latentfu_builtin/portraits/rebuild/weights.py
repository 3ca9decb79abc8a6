"""The steps that make what is shipped beside the generator: encoder, directions, deformations.

Which deformations they are was chosen by looking at the sheets of `latentfu deformations
discover`, so the choice holds for the weights it was made on, and for those that these were
trained on to; for others they are found again by the same searches, and a person should look at
them before they are shipped.

The encoder is learned on the generator's own pictures and on renders. It begins with the encoder
that is there (for earlier weights), or with the convolutions of the scorer: minutes of one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import latentfu
import torch
from latentfu import (
    ControlRequest,
    Deformation,
    Generator,
    Progress,
    SheetRow,
    between,
    choose_scorer,
    contact_sheet,
    random_latents,
    read_deformation,
    write_deformation,
)
from torch import Tensor

from latentfu_builtin.deformations.discover import measure_deformations, search_directions
from latentfu_builtin.deformations.search import DeformationSearch
from latentfu_builtin.directions.control_makers import (
    SHIPPED_WORDS,
    SLIDER_TITLES,
    Subject,
    build_directions,
    replace_shipped,
)
from latentfu_builtin.portraits.rebuild.pictures import convert_to_pixels, save_document_picture
from latentfu_builtin.portraits.renderer import FACTORS

_COUNT, _DEFORMATION_SAMPLES = 32, 8
_ALIKE = 0.5
"""So much of a direction for earlier weights must lie in what is found, to be taken from there."""
_SITTERS = 21
_DIRECTION_SAMPLES, _TRIALS = 5000, 64
_TITLES = {
    **SLIDER_TITLES,
    "eye_hue": "Eye color",
    "background_hue": "Background color",
    "clothes_hue": "Clothes color",
}
"""Sliders that are called otherwise than their factor."""
_PICTURES, _RATE = 20_000, 2e-3
_PICTURES_AGAIN, _RATE_AGAIN = 8_000, 3e-4
"""Beginning with the encoder of earlier weights, which reads those trained on nearly as well: at
the whole rate 8,000 pictures cost it 2 dB."""


@dataclass(frozen=True)
class ChosenDeformation:
    """A deformation that is shipped: where it is found, and what it is called."""

    method: str
    layer: int
    place: int
    sign: int
    name: str
    plus: str


CHOSEN_DEFORMATIONS = (
    ChosenDeformation("hessian", 4, 13, 1, "monocle", "one round lens over one eye"),
    ChosenDeformation("hessian", 4, 16, -1, "visor", "one wide lens over both eyes"),
    ChosenDeformation("hessian", 4, 3, 1, "hair_side", "hair on the right-hand side"),
    ChosenDeformation("hessian", 4, 0, -1, "cap", "a soft cap on top"),
    ChosenDeformation("hessian", 4, 5, 1, "laugh", "a laugh that narrows the eyes"),
)


def build_shipped_deformations(folder: Path | None, progress: Progress) -> None:
    """Replace the shipped deformations, or fill ``folder``."""
    from latentfu_builtin.portraits.shipped import DEFORMATIONS, NAME

    generator = latentfu.open_generator(NAME)
    out = folder / "deformations" if folder else DEFORMATIONS
    made = list(_find_chosen(generator, progress))
    for path in out.glob("*.safetensors"):
        path.unlink()
    for deformation in made:
        write_deformation(out / f"{deformation.name}.safetensors", deformation)


def _find_chosen(generator: Generator, progress: Progress) -> Iterator[Deformation]:
    """The deformations of CHOSEN, one search after the other."""
    searches = [
        (key, list(group))
        for key, group in groupby(sorted(CHOSEN_DEFORMATIONS, key=_search_of), key=_search_of)
    ]
    for place, ((method, layer), choices) in enumerate(searches):
        part = between(progress, place / len(searches), (place + 1) / len(searches))
        search = DeformationSearch(
            generator, layer, method, _COUNT, _DEFORMATION_SAMPLES, beyond=True
        )
        rows = search_directions(search, between(part, 0.0, 0.6))
        picked = torch.stack([pick_direction(choice, rows) for choice in choices])
        found = measure_deformations(search, picked, between(part, 0.6, 1.0), method)
        for choice, deformation in zip(choices, found, strict=True):
            yield replace(
                deformation.named(choice.name, choice.plus),
                author="The Latent-Fu authors",
                licence="Apache-2.0",
                source=f"latentfu deformations discover --method {method} --layer {layer}",
            )


def pick_direction(choice: ChosenDeformation, rows: Tensor) -> Tensor:
    """The direction ``[out, in, k, k]`` of a choice, from the orthonormal ``rows`` found.

    Eigenvectors come with either sign, and neighbors mix when the weights are trained on: what
    counts is the space that they span. The shipped one's part in it is taken, unless the weights
    are others altogether and that is little.
    """
    from latentfu_builtin.portraits.shipped import DEFORMATIONS

    path = DEFORMATIONS / f"{choice.name}.safetensors"
    shipped = read_deformation(path) if path.is_file() else None
    if shipped is not None and shipped.shift.shape == rows.shape[1:]:
        before = torch.from_numpy(shipped.shift).flatten().to(rows)
        before = before / before.norm()
        part: Tensor = (rows.flatten(1) @ before) @ rows.flatten(1)
        if float(part.norm()) >= _ALIKE:
            return part.div(part.norm()).view(rows.shape[1:])
    return rows[choice.place] * choice.sign


def _search_of(choice: ChosenDeformation) -> tuple[str, int]:
    """The search that a choice belongs to."""
    return choice.method, choice.layer


@torch.no_grad()
def build_deformation_sheet(folder: Path | None, progress: Progress) -> None:
    """The documentation's picture: each shipped deformation at -1, 0 and 1 on three people."""
    from latentfu_builtin.portraits.shipped import NAME

    generator = latentfu.open_generator(NAME)
    latents = random_latents(generator, 3, _SITTERS, psi=0.75)
    shipped = [c for c in latentfu.controls(NAME).values() if c.kind == "deformation"]
    rows = []
    for place, control in enumerate(shipped):
        progress(place / len(shipped), control.title)
        mover = control.load_for(generator)
        drawn = [generator.render(mover.apply(latents, s, generator)) for s in (-1.0, 0.0, 1.0)]
        pictures = torch.stack(drawn, dim=1).flatten(0, 1)  # [3 people * 3 strengths, 3, R, R]
        rows.append(
            SheetRow(control.title, f"+ is {control.positive_means}", convert_to_pixels(pictures))
        )
    save_document_picture(
        contact_sheet(rows, ["-1", "0", "+1"] * 3, blocks=1), folder, "deformations.jpg"
    )


def build_shipped_directions(folder: Path | None, progress: Progress) -> None:
    """Replace the shipped directions (or fill ``folder``) by the project's own trainer.

    The labels are the factors that each z stands for; the scorer says what can be seen.
    """
    from latentfu_builtin.portraits.shipped import DIRECTIONS, NAME, map_to_teacher

    generator = latentfu.open_generator(NAME)
    request = ControlRequest(
        generator=generator,
        attribute="",
        samples=_DIRECTION_SAMPLES,
        seed=0,
        progress=progress,
        scorer=choose_scorer(generator.domain),
        options={"trials": _TRIALS, "clean": 0, **SHIPPED_WORDS},
    )
    subjects = [Subject(f.name, f.plus, f.group, _TITLES.get(f.name, "")) for f in FACTORS]
    out = folder / "directions" if folder else DIRECTIONS
    out.mkdir(parents=True, exist_ok=True)
    replace_shipped(build_directions(request, subjects, maker="svm", meaning=map_to_teacher), out)


def build_encoder(folder: Path | None, progress: Progress) -> None:
    """Train the encoder for the weights that are there now."""
    from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
    from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
    from latentfu_builtin.portraits.shipped import ENCODER, NAME, SCORER

    generator = latentfu.open_generator(NAME)
    trunk, pictures, rate = SCORER, _PICTURES, _RATE
    if ENCODER.is_file():
        trunk, pictures, rate = ENCODER, _PICTURES_AGAIN, _RATE_AGAIN
    kept = latentfu.data_dir() / "encoders" / f"{NAME}-{generator.id[:12]}.checkpoint"
    order = EncoderOrder(
        generator,
        folder / ENCODER.name if folder else ENCODER,
        EncoderTrainingOptions(pictures=pictures, rate=rate, pool=2048, outside=0.2),
        renderer=NAME,
        trunk=trunk,
        checkpoint=kept,
        notes={"licence": "Apache-2.0", "author": "The Latent-Fu authors"},
    )
    train_encoder(order, progress)
