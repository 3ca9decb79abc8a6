"""The portrait renderer as the generator trainer sees it: normal numbers in, pictures out."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer import FACTORS, earrings, from_normal, landmarks, render


class PortraitTeacher:
    """Draws portraits for plain normal numbers, one column per factor."""

    factor_count = len(FACTORS)
    landmark_count = 7

    def __init__(self, supersample: int = 2, compiled: bool = False) -> None:
        self.supersample = supersample
        self.compiled = compiled

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """normal [N, F] -> pictures [N, 3, R, R] in -1..1, landmarks [N, 7, 2] in 0..1.

        After the five of the face come the earrings: small, and soon overlooked by a loss.
        The renderer draws nothing at random, so the generator stays untouched.
        """
        factors = from_normal(normal)
        images = render(factors, resolution, supersample=self.supersample, compiled=self.compiled)
        places = [landmarks(factors, resolution), earrings(factors, resolution)]
        return images, torch.cat(places, dim=1) / resolution


def make_teacher(compiled: bool = False) -> PortraitTeacher:
    """The teacher that `latentfu train generator --renderer portraits` asks for."""
    return PortraitTeacher(compiled=compiled)
