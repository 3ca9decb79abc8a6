"""What is shipped for the portraits, and what is loaded from it: generator, scorer, locator.

Importing this is cheap: headers of files are read, torch is imported when something is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu import BadInputError, Generator, Quad, read_metadata

if TYPE_CHECKING:
    import numpy as np
    import torch
    from latentfu import Point

    from latentfu_builtin.portraits.locator import Locator
    from latentfu_builtin.scorer.network import ScorerNetwork

NAME = "portraits"
_FOLDER = Path(__file__).parent
GENERATOR = _FOLDER / "weights" / "generator.safetensors"
SCORER = _FOLDER / "weights" / "scorer.safetensors"
LOCATOR = _FOLDER / "weights" / "locator.safetensors"
ENCODER = _FOLDER / "weights" / "encoder.safetensors"
DIRECTIONS = _FOLDER / "directions"
DEFORMATIONS = _FOLDER / "deformations"
_SUREST_NOTHING = 0.5
"""Below this presence the locator has seen no portrait."""


@lru_cache(maxsize=8)
def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without torch."""
    return read_metadata(path)


@cache
def compute_generator_id() -> str:
    """sha256 (hex) of the weights."""
    return hashlib.sha256(GENERATOR.read_bytes()).hexdigest()


def load_portrait_generator(device: str) -> Generator:
    """The generator on ``device``."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    return StyleGAN2Generator.open(GENERATOR, device, name=NAME, domain=NAME)


@cache
def load_shipped_scorer(device: str) -> ScorerNetwork:
    """The scorer on ``device``; raises BadInputError when its file is not usable."""
    from latentfu_builtin.scorer.network import load_scorer

    try:
        return load_scorer(SCORER, device)
    except ValueError as error:
        raise BadInputError(f"The scorer of the portraits cannot be used: {error}.") from error


@cache
def _load_locator() -> Locator:
    """The locator; raises BadInputError when its file is not usable."""
    from latentfu_builtin.portraits.locator import load_locator

    try:
        return load_locator(LOCATOR)
    except ValueError as error:
        raise BadInputError(f"The locator of the portraits cannot be used: {error}.") from error


def find_portrait(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The standard crop of the portrait in a picture; empty when there is none."""
    from latentfu_builtin.portraits.locator import locate_portrait

    found = locate_portrait(_load_locator(), rgb)
    if found.presence < _SUREST_NOTHING:
        return []
    x0, y0, x1, _ = found.crop
    return [Quad.square(x0, y0, x1 - x0, found.presence)]


def place_portrait(eyes: tuple[Point, Point], mouth: Point) -> Quad:
    """The standard crop from the eyes and the mouth; upright, as the portraits are."""
    import torch

    from latentfu_builtin.portraits.locator.locator import fit_scale_and_shift

    mean = _load_locator().crop_fit.mean  # eyes, nose, corners of the mouth: [5, 2]
    three = torch.stack([mean[0], mean[1], (mean[3] + mean[4]) / 2])
    given = torch.tensor([[*eyes, mouth]], dtype=torch.float32)
    scale, shift = fit_scale_and_shift(given, three)
    return Quad.square(float(shift[0, 0]), float(shift[0, 1]), float(scale[0]))


def choose_distance(generator: Generator) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The scorer's perceptual distance."""
    return load_shipped_scorer(str(generator.device)).distance


def choose_score(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The scorer as a function, with gradients where the pictures ask for them."""
    import torch

    scorer = load_shipped_scorer(device)

    def score(images: torch.Tensor) -> torch.Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and images.requires_grad):
            scores: torch.Tensor = scorer(images)
            return scores

    return score


def map_to_teacher(z: torch.Tensor) -> torch.Tensor:
    """z ``[N, z_dim]`` -> the normal numbers that the renderer drew the factors from."""
    from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment
    from latentfu_builtin.portraits.renderer import FACTORS

    return normalize_2nd_moment(z)[:, : len(FACTORS)]


ENDS = {
    "smile": ("frown", "smile"),
    "mouth_open": ("closed", "open"),
    "yaw": ("left", "right"),
    "pitch": ("down", "up"),
    "roll": ("left", "right"),
    "age": ("younger", "older"),
    "gender": ("feminine", "masculine"),
    "glasses": ("none", "glasses"),
    "hair_length": ("short", "long"),
    "light_x": ("left", "right"),
    "light_y": ("below", "above"),
    "light_warmth": ("cool", "warm"),
    "background_light": ("dark", "light"),
    "beard": ("shaven", "beard"),
    "brow_angle": ("worried", "angry"),
    "brow_height": ("low", "raised"),
    "earrings": ("none", "earrings"),
    "eye_hue": ("brown", "blue"),
    "eye_open": ("closed", "wide"),
    "eye_size": ("small", "large"),
    "face_width": ("narrow", "wide"),
    "fringe": ("none", "fringe"),
    "gaze_x": ("left", "right"),
    "gaze_y": ("down", "up"),
    "hair_curl": ("straight", "curly"),
    "hair_lightness": ("black", "blond"),
    "hair_redness": ("ash", "auburn"),
    "hat": ("none", "hat"),
    "jaw": ("narrow", "square"),
    "nose_length": ("short", "long"),
    "skin_tone": ("lighter", "darker"),
    "cap": ("none", "cap"),
    "hair_side": ("left", "right"),
    "laugh": ("serious", "laugh"),
    "monocle": ("none", "monocle"),
    "visor": ("none", "visor"),
}
"""By the name of the control; a hue has no ends, it goes round."""
