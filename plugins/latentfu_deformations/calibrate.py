"""How strong a deformation of strength 1 is, and what it does to the attributes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from latentfu import BadInputError, Latent, Scorer
from torch import Tensor

from latentfu_deformations.hessian import Distance
from latentfu_deformations.layer import Convolution, unit

LIFT = 0.35
"""Strength 1 changes pictures by this much of the distance between two random pictures."""
DOUBLINGS = 18
HALVINGS = 6


@dataclass(frozen=True)
class Bench:
    """Samples on which deformations of a convolution are tried."""

    convolution: Convolution
    latents: Latent
    distance: Distance

    @torch.no_grad()
    def pictures(self, shift: Tensor, strength: float) -> Tensor:
        """The samples with the layer deformed, ``[N, 3, R, R]``."""
        parts = [self.latents.with_codes(codes) for codes in torch.split(self.latents.codes, 8)]
        return torch.cat([self.convolution.render(part, shift, strength) for part in parts])

    @torch.no_grad()
    def apart(self) -> float:
        """Mean distance of two different samples."""
        plain = self.pictures(torch.zeros_like(self.convolution.weight), 0.0)
        return float(self.distance(plain, plain.roll(1, 0)).mean())

    @torch.no_grad()
    def moved(self, shift: Tensor, strength: float) -> float:
        """Mean distance between the samples at ``strength`` and at 0."""
        plain = self.pictures(shift, 0.0)
        return float(self.distance(self.pictures(shift, strength), plain).mean())

    def calibrated(self, direction: Tensor) -> Tensor:
        """``direction [out, in, k, k]`` with the norm that makes strength 1 a clear change.

        Raises BadInputError where no strength changes the pictures.
        """
        step, wanted = unit(direction), LIFT * self.apart()
        high = float(torch.linalg.vector_norm(self.convolution.weight)) / 64
        moved = 0.0
        for _ in range(DOUBLINGS):
            moved = self.moved(step, high)
            if moved >= wanted:
                break
            high *= 2
        if not moved > 0:
            raise BadInputError("The deformation changes nothing at any strength.")
        # Demodulation limits what a shift can do, however large: then half of that is clear.
        wanted = min(wanted, moved if moved >= wanted else moved / 2)
        low = 0.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.moved(step, middle) >= wanted else (middle, high)
        return step * high

    @torch.no_grad()
    def effect(self, shift: Tensor, scorer: Scorer) -> dict[str, float]:
        """What strength 1 (against -1, halved) does to each attribute, in its deviations."""
        score = scorer.load(str(self.convolution.generator.device))
        plain = score(self.pictures(shift, 0.0))
        spread = plain.std(dim=0).clamp_min(1e-3)  # [A]
        change = score(self.pictures(shift, 1.0)) - score(self.pictures(shift, -1.0))
        per_unit = (change / 2).mean(dim=0) / spread
        return {
            name: round(float(value), 3)
            for name, value in zip(scorer.attributes, per_unit, strict=True)
        }
