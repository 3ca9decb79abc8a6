"""The portrait renderer as the generator trainer sees it: normal numbers in, pictures out."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_portraits.renderer import FACTORS, from_normal, landmarks, render


class PortraitTeacher:
    """Draws portraits for plain normal numbers, one column per factor."""

    factor_count = len(FACTORS)

    def __init__(self, supersample: int = 2) -> None:
        self.supersample = supersample

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """normal [N, F] -> pictures [N, 3, R, R] in -1..1, landmarks [N, 5, 2] in 0..1.

        The renderer draws nothing at random, so the generator stays untouched.
        """
        factors = from_normal(normal)
        images = render(factors, resolution, supersample=self.supersample)
        return images, landmarks(factors, resolution) / resolution


def make_teacher() -> PortraitTeacher:
    """The teacher that `latentfu train generator --renderer portraits` asks for."""
    return PortraitTeacher()
