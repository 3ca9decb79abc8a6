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
    Progress,
    Quad,
    directions_in,
    hookimpl,
)
from latentfu import Scorer as ScorerObject

if TYPE_CHECKING:
    import click
    import numpy as np
    import torch
    from latentfu.core.crop import Point

    from latentfu_builtin.portraits.locator import Locator
    from latentfu_builtin.portraits.scorer import Scorer

NAME = "portraits"
FOLDER = Path(__file__).parent
GENERATOR = FOLDER / "weights" / "generator.safetensors"
SCORER = FOLDER / "weights" / "scorer.safetensors"
LOCATOR = FOLDER / "weights" / "locator.safetensors"
ENCODER = FOLDER / "weights" / "encoder.safetensors"
DIRECTIONS = FOLDER / "directions"
DEFORMATIONS = FOLDER / "deformations"
FIRST = ("smile", "mouth_open", "yaw", "age", "gender", "glasses", "hair_length", "light_x")
"""What a person tries first stands first in its group."""
SUREST_NOTHING = 0.5
"""Below this presence the locator has seen no portrait."""


@lru_cache(maxsize=8)
def header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without torch."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        return dict(file.metadata() or {})


@cache
def generator_id() -> str:
    """sha256 (hex) of the weights."""
    return hashlib.sha256(GENERATOR.read_bytes()).hexdigest()


def load_generator(device: str) -> Generator:
    """The generator on ``device``."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import open_stylegan2

    return open_stylegan2(GENERATOR, device, name=NAME, domain=NAME)


@cache
def scorer_network(device: str) -> Scorer:
    """The scorer on ``device``; raises BadInputError when its file is not usable."""
    from latentfu_builtin.portraits.scorer import load_scorer

    try:
        return load_scorer(SCORER, device)
    except ValueError as error:
        raise BadInputError(f"The scorer of the portraits can not be used: {error}.") from error


@cache
def locator_network() -> Locator:
    """The locator; raises BadInputError when its file is not usable."""
    from latentfu_builtin.portraits.locator import load_locator

    try:
        return load_locator(LOCATOR)
    except ValueError as error:
        raise BadInputError(f"The locator of the portraits can not be used: {error}.") from error


def find(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The standard crop of the portrait in a picture; empty when there is none."""
    from latentfu_builtin.portraits.locator import locate

    found = locate(locator_network(), rgb)
    if found.presence < SUREST_NOTHING:
        return []
    x0, y0, x1, _ = found.crop
    return [Quad.square(x0, y0, x1 - x0, found.presence)]


def place(eyes: tuple[Point, Point], mouth: Point) -> Quad:
    """The standard crop from the eyes and the mouth; upright, as the portraits are."""
    import torch

    from latentfu_builtin.portraits.locator.crop import fit_scale_and_shift

    mean = locator_network().crop_fit.mean  # eyes, nose, corners of the mouth: [5, 2]
    three = torch.stack([mean[0], mean[1], (mean[3] + mean[4]) / 2])
    given = torch.tensor([[*eyes, mouth]], dtype=torch.float32)
    scale, shift = fit_scale_and_shift(given, three)
    return Quad.square(float(shift[0, 0]), float(shift[0, 1]), float(scale[0]))


def distance(generator: Generator) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The scorer's perceptual distance."""
    return scorer_network(str(generator.device)).distance


def score(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The scorer as a function, without gradients."""
    import torch

    return torch.no_grad()(scorer_network(device))


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """The built-in generator."""
    if not GENERATOR.is_file():
        return []
    notes = header(GENERATOR)
    return [
        GeneratorSpec(
            name=NAME,
            title="Portraits",
            domain=NAME,
            resolution=int(json.loads(notes["config"])["resolution"]),
            id=generator_id(),
            load=load_generator,
            aligner=NAME if LOCATOR.is_file() else "center",
            licence=notes.get("licence", ""),
            description="Drawn portraits of people who do not exist; trained on our renderer.",
            outside=0.25,  # portraits with a room behind: 0.03 to 0.14; a photo: 0.53
        )
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """Finds a drawn portrait by five landmarks."""
    if not LOCATOR.is_file():
        return []
    return [Aligner(NAME, "The portrait in the layer", (NAME,), find, place)]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """A perceptual distance by the scorer's features."""
    if not SCORER.is_file():
        return []
    return [Loss(NAME, "Features of the portraits' scorer", distance, (NAME,))]


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The shipped encoder, if it was trained for some generator's weights."""
    from latentfu_builtin.encoders.own import listed

    found = listed(ENCODER, NAME, "Portraits in one pass") if ENCODER.is_file() else None
    return [] if found is None else [found]


@hookimpl
def latentfu_scorers() -> list[ScorerObject]:
    """Reads a portrait's factors."""
    if not SCORER.is_file():
        return []
    names = tuple(json.loads(header(SCORER)["factors"]))
    return [ScorerObject(NAME, "Factors of a portrait", NAME, names, score)]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The shipped directions, and after them the deformations."""
    from latentfu_builtin.deformations.control import deformations_in

    def place(control: Control) -> int:
        return FIRST.index(control.name) if control.name in FIRST else len(FIRST)

    shipped = sorted(directions_in(DIRECTIONS, generator.id), key=place)
    return [*shipped, *deformations_in(DEFORMATIONS, generator.id)]


def trainer(name: str) -> click.Command:
    """``latentfu train scorer`` or ``latentfu train locator``."""
    from latentfu_builtin.portraits import training

    command: click.Command = getattr(training, f"{name}_command")
    return command


def evaluation() -> click.Command:
    """``latentfu evaluate portraits``."""
    from latentfu_builtin.portraits.evaluate.cli import evaluate_command

    return evaluate_command


def taught(z: torch.Tensor) -> torch.Tensor:
    """z ``[N, z_dim]`` -> the normal numbers that the renderer drew the factors from."""
    from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment
    from latentfu_builtin.portraits.renderer import FACTORS

    return normalize_2nd_moment(z)[:, : len(FACTORS)]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training the small networks, measuring the generator, rendering people."""
    return [
        Command(("train", "scorer"), "Train the portraits' scorer.", lambda: trainer("scorer")),
        Command(("train", "locator"), "Train the portraits' locator.", lambda: trainer("locator")),
        Command(("evaluate", "portraits"), "Measure the portraits against renders.", evaluation),
        Command(("render", "portraits"), "Render people to try things on.", rendering),
    ]


def rendering() -> click.Command:
    """latentfu render portraits."""
    from latentfu_builtin.portraits.sitting import render_command

    return render_command


STEPS = (
    ("encoder", 10, "The shipped encoder", "encoder", "build_encoder"),
    ("directions", 20, "The shipped directions", "directions", "build_shipped_directions"),
    ("deformations", 30, "The shipped deformations", "deformations", "build_shipped_deformations"),
    ("renders", 80, "Renders for the card", "grids", "build_renders"),
    ("sitters", 80, "Portraits as photos bring them", "grids", "build_sitters"),
    ("samples", 81, "Samples for the card", "grids", "build_samples"),
    ("mixing", 82, "Style mixing for the card", "grids", "build_mixing"),
    ("sheet", 83, "Every direction on a sample", "grids", "build_direction_sheet"),
    ("bends", 85, "Every deformation on samples", "deformations", "build_deformation_sheet"),
    ("table", 84, "What the directions do, for the card", "card", "build_direction_table"),
    ("leakage", 85, "What each direction moves besides", "leakage", "build_leakage"),
    ("figures", 90, "The card's figures", "card", "build_figures"),
)
"""Name, order, title, and where it is: ``latentfu_builtin.portraits.rebuild.MODULE.FUNCTION``."""


@hookimpl
def latentfu_build_steps() -> list[BuildStep]:
    """Encoder, directions, pictures and figures, made again from the weights."""
    return [
        BuildStep(f"portraits-{name}", title, NAME, order, step_of(module, function))
        for name, order, title, module, function in STEPS
    ]


def step_of(module: str, function: str) -> Callable[[Path | None, Progress], None]:
    """A build step that is imported when it runs."""

    def run(folder: Path | None, progress: Progress) -> None:
        import importlib

        found = importlib.import_module(f"latentfu_builtin.portraits.rebuild.{module}")
        getattr(found, function)(folder, progress)

    return run
