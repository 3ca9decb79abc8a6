"""What is made from the people network's weights: a step of ``latentfu build people`` each.

Directions are read off what the renderer says of z, so the renderer's extra (``latentfu[train]``)
is needed, but no picture. The encoder learns on rendered people, changed as a camera and a file
change them; they are rendered first, an hour of one core, and kept in the data folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import latentfu
import torch
from latentfu import (
    BadInputError,
    ControlRequest,
    Direction,
    Generator,
    Progress,
    random_latents,
    write_direction,
    write_image,
    write_whole,
)

from latentfu_builtin.directions.control_makers import (
    SHIPPED_WORDS,
    SLIDER_TITLES,
    shorten_meaning,
)
from latentfu_builtin.people.factors import HUES, PERSON_FACTORS, PersonFactor, sample_factors
from latentfu_builtin.people_network.sample_pictures import SAMPLES
from latentfu_builtin.people_network.shipped import DIRECTIONS, ENCODER, NAME
from latentfu_builtin.stylegan.training.known_directions import KnownDirectionMaker

_SAMPLES = 6000
_TITLES = {**SLIDER_TITLES, "eye_open": "Eyes open"}
"""Sliders that are called otherwise than their factor."""
_YEARS = 0.6
"""What strength 1 of age is, in standard deviations of the renderer's people: 15 years."""
_THERE = 2.0
"""What strength 1 is of a thing that is there or not: the whole way between."""
_LEAST_LEVELS = 5.0
"""A control that changes the strongest hundredth of a picture by less than this shows nothing."""
_SEEN, _SEEN_STRENGTH = 16, 2.0
_LEVEL = ("roll",)
"""An aligned face is upright: what would tilt it would tilt the shoulders."""
_AT_REST = {
    **dict.fromkeys(("mouth_open", "laugh", "frown", "surprise", "wink_left", "wink_right"), -1.0),
    **dict.fromkeys(("sneer", "pucker", "hat", "glasses", "blemishes", "freckles"), -1.0),
    **dict.fromkeys(("gaze_x", "gaze_y", "brow_height", "roll", "asymmetry", "pitch"), 0.0),
    "eye_open": 0.15,
}
_SITTERS: dict[str, tuple[int, dict[str, float]]] = {
    "woman": (52, {
        "yaw": 0.2, "smile": 0.35, "age": 30.0, "hair_length": 0.5, "hair_curl": 0.6,
        "hair_lightness": -0.2, "hair_redness": 0.5, "background_light": 0.3,
    }),
    "friend": (45, {"yaw": 0.2, "smile": 0.3, "age": 30.0}),
}  # fmt: skip
"""The seed of each sample picture's person, and what was chosen."""
_SAMPLE_SIDE = 1024
_TOO_FINE = ("earrings",)
"""Of these the pictures show a shade, but not the thing."""
_PAIRS, _PAIR_SIDE, _PAIR_SEED = 12_000, 64, 29
_PICTURES, _RATE = 400_000, 2e-3
_PICTURES_AGAIN, _RATE_AGAIN = 50_000, 1e-3
"""Beginning with the encoder of earlier weights."""


def _list_subjects() -> Iterator[PersonFactor]:
    """The factors that get a slider: a hue goes round, kinds jump, a mixture has no name."""
    for factor in PERSON_FACTORS:
        mixed = factor.name.startswith("identity_") or factor.name.endswith("_kind")
        if factor.name not in (*HUES, *_LEVEL, *_TOO_FINE) and not mixed:
            yield factor


def build_people_directions(folder: Path | None, progress: Progress) -> None:
    """Replace the shipped directions, or fill ``folder``."""
    generator = latentfu.open_generator(NAME)
    request = ControlRequest(
        generator=generator,
        attribute="",
        samples=_SAMPLES,
        seed=0,
        progress=latentfu.between(progress, 0.0, 0.3),
        options=dict(SHIPPED_WORDS),
    )
    maker, subjects = KnownDirectionMaker.of(request), list(_list_subjects())
    out = folder / "directions" if folder else DIRECTIONS
    out.mkdir(parents=True, exist_ok=True)
    kept = set()
    for place, factor in enumerate(subjects):
        progress(0.3 + 0.7 * place / len(subjects), factor.name)
        try:
            direction = _make_direction(maker, request, factor)
            levels = _measure_levels(direction, generator)
            if levels < _LEAST_LEVELS:
                raise BadInputError(f"its pictures show it too little ({levels:.1f} levels)")
            kept.add(write_direction(out / f"{factor.name}.safetensors", direction))
            click.echo(f"{factor.name:18} {levels:5.1f} levels")
        except BadInputError as error:
            click.echo(f"{factor.name:18} left out: {error}")
    for path in set(out.glob("*.safetensors")) - kept:
        path.unlink()


def _make_direction(
    maker: KnownDirectionMaker, request: ControlRequest, factor: PersonFactor
) -> Direction:
    words = {"plus": shorten_meaning(factor.plus), "group": factor.group}
    if factor.name in _TITLES:
        words["title"] = _TITLES[factor.name]
    words["source"] = "latentfu build people"
    asked = replace(
        request,
        attribute=factor.name,
        progress=latentfu.silent,
        options={**request.options, **words},
    )
    step = _YEARS if factor.name == "age" else _THERE if factor.kind == "on-off" else 1.0
    return maker.make(asked, step)


@torch.no_grad()
def _measure_levels(direction: Direction, generator: Generator) -> float:
    """What the strongest hundredth of a picture changes by at strength 2, in levels of 255."""
    before = random_latents(generator, _SEEN, seed=5, psi=0.7)
    way = torch.from_numpy(direction.vector).to(before.codes)
    after = before.with_codes(before.codes + _SEEN_STRENGTH * way)
    change = (generator.render(after) - generator.render(before)).abs().amax(1)  # [N, R, R]
    return float(127.5 * change.flatten(1).quantile(0.99, dim=1).mean())


def build_people_samples(folder: Path | None, progress: Progress) -> None:
    """Render the sample pictures anew, with their factors beside them, or fill ``folder``."""
    from PIL import Image

    from latentfu_builtin.people.renderer import PeopleRenderer

    out, renderer = folder / "samples" if folder else SAMPLES, PeopleRenderer(_SAMPLE_SIDE)
    out.mkdir(parents=True, exist_ok=True)
    for place, (name, (seed, chosen)) in enumerate(_SITTERS.items()):
        progress(place / len(_SITTERS), name)
        factors = {**sample_factors(seed), **_AT_REST, **chosen}
        drawn = Image.fromarray(renderer.render(factors, seed).pixels)
        write_image(out / f"{name}.webp", drawn, quality=90)
        rounded = {factor: round(value, 4) for factor, value in factors.items()}
        write_whole(out / f"{name}.json", json.dumps(rounded, indent=1).encode())


def build_people_encoder(folder: Path | None, progress: Progress) -> None:
    """Train the encoder for the weights that are there now, on people that are rendered first."""
    from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
    from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
    from latentfu_builtin.people.teacher import PeopleTeacher
    from latentfu_builtin.stylegan.training.pairs import render_pairs

    generator = latentfu.open_generator(NAME)
    again = ENCODER.is_file()
    kept = latentfu.data_dir() / "encoders" / f"{NAME}-{generator.id[:12]}.checkpoint"
    pairs = latentfu.data_dir() / "pairs" / f"{NAME}-{_PAIR_SIDE}"
    rendering = latentfu.between(progress, 0.0, 0.6)
    render_pairs(
        PeopleTeacher(), pairs, count=_PAIRS, resolution=_PAIR_SIDE, z_dim=generator.z_dim,
        seed=_PAIR_SEED, progress=lambda done, total: rendering(done / total, "Rendering people"),
    )  # fmt: skip
    order = EncoderOrder(
        generator,
        folder / ENCODER.name if folder else ENCODER,
        EncoderTrainingOptions(
            pictures=_PICTURES_AGAIN if again else _PICTURES,
            rate=_RATE_AGAIN if again else _RATE,
            pool=16_000,
            outside=0.8,
            photograph=0.6,
            seen=0,
        ),
        pairs=pairs,
        trunk=ENCODER if again else None,
        checkpoint=kept,
        notes={"licence": "Apache-2.0", "author": "The Latent-Fu authors"},
    )
    train_encoder(order, latentfu.between(progress, 0.6, 1.0))
