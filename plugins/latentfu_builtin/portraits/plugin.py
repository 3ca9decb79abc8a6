"""What the built-in portraits bring: generator, aligner, scorer, loss, directions, commands.

Listing is cheap: headers of files are read, torch is imported when something is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu import (
    Aligner,
    BadInputError,
    BuildStep,
    Command,
    Control,
    Encoder,
    Generator,
    GeneratorSpec,
    Loss,
    Quad,
    SamplePicture,
    directions_in,
    hookimpl,
    read_metadata,
)
from latentfu import Scorer as ScorerObject

from latentfu_builtin.lazy import call_later, later

if TYPE_CHECKING:
    import click
    import numpy as np
    import torch
    from latentfu.core.crop import Point

    from latentfu_builtin.portraits.locator import Locator
    from latentfu_builtin.portraits.scorer import ScorerNetwork

NAME = "portraits"
_ROOM = "latentfu_builtin.portraits"
_FOLDER = Path(__file__).parent
_GENERATOR = _FOLDER / "weights" / "generator.safetensors"
SCORER = _FOLDER / "weights" / "scorer.safetensors"
_LOCATOR = _FOLDER / "weights" / "locator.safetensors"
ENCODER = _FOLDER / "weights" / "encoder.safetensors"
DIRECTIONS = _FOLDER / "directions"
DEFORMATIONS = _FOLDER / "deformations"
_FIRST = ("smile", "mouth_open", "yaw", "age", "gender", "glasses", "hair_length", "light_x")
"""What a person tries first stands first in its group."""
_SUREST_NOTHING = 0.5
"""Below this presence the locator has seen no portrait."""


@lru_cache(maxsize=8)
def _header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without torch."""
    return read_metadata(path)


@cache
def _generator_id() -> str:
    """sha256 (hex) of the weights."""
    return hashlib.sha256(_GENERATOR.read_bytes()).hexdigest()


def _load_generator(device: str) -> Generator:
    """The generator on ``device``."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import open_weights

    return open_weights(_GENERATOR, device, name=NAME, domain=NAME)


@cache
def scorer_network(device: str) -> ScorerNetwork:
    """The scorer on ``device``; raises BadInputError when its file is not usable."""
    from latentfu_builtin.portraits.scorer import load_scorer

    try:
        return load_scorer(SCORER, device)
    except ValueError as error:
        raise BadInputError(f"The scorer of the portraits can not be used: {error}.") from error


@cache
def _locator_network() -> Locator:
    """The locator; raises BadInputError when its file is not usable."""
    from latentfu_builtin.portraits.locator import load_locator

    try:
        return load_locator(_LOCATOR)
    except ValueError as error:
        raise BadInputError(f"The locator of the portraits can not be used: {error}.") from error


def _find(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The standard crop of the portrait in a picture; empty when there is none."""
    from latentfu_builtin.portraits.locator import locate_portrait

    found = locate_portrait(_locator_network(), rgb)
    if found.presence < _SUREST_NOTHING:
        return []
    x0, y0, x1, _ = found.crop
    return [Quad.square(x0, y0, x1 - x0, found.presence)]


def _place(eyes: tuple[Point, Point], mouth: Point) -> Quad:
    """The standard crop from the eyes and the mouth; upright, as the portraits are."""
    import torch

    from latentfu_builtin.portraits.locator.locator import fit_scale_and_shift

    mean = _locator_network().crop_fit.mean  # eyes, nose, corners of the mouth: [5, 2]
    three = torch.stack([mean[0], mean[1], (mean[3] + mean[4]) / 2])
    given = torch.tensor([[*eyes, mouth]], dtype=torch.float32)
    scale, shift = fit_scale_and_shift(given, three)
    return Quad.square(float(shift[0, 0]), float(shift[0, 1]), float(scale[0]))


def _distance(generator: Generator) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The scorer's perceptual distance."""
    return scorer_network(str(generator.device)).distance


def _score(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The scorer as a function, without gradients."""
    import torch

    return torch.no_grad()(scorer_network(device))


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """The built-in generator."""
    if not _GENERATOR.is_file():
        return []
    notes = _header(_GENERATOR)
    return [
        GeneratorSpec(
            name=NAME,
            title="Portraits",
            domain=NAME,
            resolution=int(json.loads(notes["config"])["resolution"]),
            id=_generator_id(),
            load=_load_generator,
            aligner=NAME if _LOCATOR.is_file() else "center",
            licence=notes.get("licence", ""),
            description="Drawn portraits of people who do not exist; trained on our renderer.",
            out_of_domain_limit=0.25,  # portraits with a room behind: 0.03 to 0.14; a photo: 0.53
        )
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """Finds a drawn portrait by five landmarks."""
    if not _LOCATOR.is_file():
        return []
    return [Aligner(NAME, "The portrait in the layer", (NAME,), _find, _place)]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """A perceptual distance by the scorer's features."""
    if not SCORER.is_file():
        return []
    return [Loss(NAME, "Features of the portraits' scorer", _distance, (NAME,))]


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The shipped encoder, if it was trained for some generator's weights."""
    from latentfu_builtin.encoders.user_files import list_encoder_file

    found = list_encoder_file(ENCODER, NAME, "Portraits in one pass") if ENCODER.is_file() else None
    return [] if found is None else [found]


@hookimpl
def latentfu_scorers() -> list[ScorerObject]:
    """Reads a portrait's factors."""
    if not SCORER.is_file():
        return []
    names = tuple(json.loads(_header(SCORER)["factors"]))
    return [ScorerObject(NAME, "Factors of a portrait", NAME, names, _score)]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The shipped directions, and after them the deformations."""
    from latentfu_builtin.deformations.control import deformations_in

    def place(control: Control) -> int:
        return _FIRST.index(control.name) if control.name in _FIRST else len(_FIRST)

    shipped = sorted(directions_in(DIRECTIONS, generator.id), key=place)
    return [*shipped, *deformations_in(DEFORMATIONS, generator.id)]


def taught(z: torch.Tensor) -> torch.Tensor:
    """z ``[N, z_dim]`` -> the normal numbers that the renderer drew the factors from."""
    from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment
    from latentfu_builtin.portraits.renderer import FACTORS

    return normalize_2nd_moment(z)[:, : len(FACTORS)]


def _command(name: str) -> Callable[[], click.Command]:
    return later(f"{_ROOM}.cli:{name}")


@hookimpl
def latentfu_sample_pictures() -> list[SamplePicture]:
    """Two rendered people, for the demo."""
    from latentfu_builtin.portraits.sample_pictures import sample_pictures

    return sample_pictures(NAME)


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training the small networks, measuring the generator, rendering people."""
    return [
        Command(
            ("train", "scorer"), "Train the portraits' scorer.", _command("train_scorer_command")
        ),
        Command(
            ("train", "locator"), "Train the portraits' locator.", _command("train_locator_command")
        ),
        Command(
            ("evaluate", "portraits"),
            "Measure the portraits against renders.",
            _command("evaluate_portraits_command"),
        ),
        Command(
            ("render", "portraits"),
            "Render people to try things on.",
            later(f"{_ROOM}.render_portraits:render_portraits_command"),
        ),
    ]


_STEPS = (
    ("encoder", 10, "The shipped encoder", "weights:build_encoder"),
    ("directions", 20, "The shipped directions", "weights:build_shipped_directions"),
    ("deformations", 30, "The shipped deformations", "weights:build_shipped_deformations"),
    ("renders", 80, "Renders for the card", "pictures:build_renders"),
    ("sitters", 80, "Portraits as photos bring them", "pictures:build_sitters"),
    ("samples", 81, "Samples for the card", "pictures:build_samples"),
    ("mixing", 82, "Style mixing for the card", "pictures:build_mixing"),
    ("sheet", 83, "Every direction on a sample", "pictures:build_direction_sheet"),
    ("bends", 85, "Every deformation on samples", "weights:build_deformation_sheet"),
    ("table", 84, "What the directions do, for the card", "pictures:build_direction_table"),
    ("leakage", 85, "What each direction moves besides", "pictures:build_leakage"),
    ("figures", 90, "The card's figures", "pictures:build_figures"),
)
"""Name, order, title, and where it is: a function of ``latentfu_builtin.portraits.rebuild``."""


@hookimpl
def latentfu_build_steps() -> list[BuildStep]:
    """Encoder, directions, pictures and figures, made again from the weights."""
    return [
        BuildStep(f"portraits-{name}", title, NAME, order, call_later(f"{_ROOM}.rebuild.{target}"))
        for name, order, title, target in _STEPS
    ]
