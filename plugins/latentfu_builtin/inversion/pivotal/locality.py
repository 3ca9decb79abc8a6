"""Keeping the rest of the generator as it is: pictures near the pivot must not change.

The locality regularisation of pivotal tuning: codes a fixed way from the pivot towards random
ones are rendered with and without the shifts, and the difference costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from latentfu import Generator, Latent, random_latents
from torch import Tensor

from latentfu_builtin.inversion.losses import Distance, pyramid

SAMPLES = 64


@dataclass(frozen=True)
class Neighbourhood:
    """Random codes ``[M, ...]`` around ``pivot``, ``reach`` of the way (1 is all of it)."""

    generator: Generator
    pivot: Latent
    codes: Tensor
    reach: float

    @staticmethod
    def of(generator: Generator, pivot: Latent, reach: float, seed: int) -> Neighbourhood:
        """Around ``pivot``, drawn from ``seed``."""
        with torch.no_grad():
            codes = random_latents(generator, SAMPLES, seed).codes
        return Neighbourhood(generator, pivot, codes, reach)

    def change(self, bent: Latent, step: int, perceptual: Distance | None) -> Tensor:
        """How differently the neighbour of this step looks with the bends of ``bent``."""
        place = step % len(self.codes)
        codes = torch.lerp(self.pivot.codes, self.codes[place : place + 1], self.reach)
        near = self.pivot.with_codes(codes)
        with torch.no_grad():
            before = self.generator.render(near)
        after = self.generator.render(replace(near, bends=bent.bends))
        change = pyramid(after, before)[0]
        return change if perceptual is None else change + perceptual(after, before)[0]
