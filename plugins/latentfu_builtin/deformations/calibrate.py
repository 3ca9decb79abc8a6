"""How strong a deformation of strength 1 is, and what it does to the attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from latentfu import BadInputError, Generator, Latent, Scorer, random_latents
from torch import Tensor

from latentfu_builtin.deformations.hessian import Distance
from latentfu_builtin.deformations.layer import Convolution, unit

LIFT = 0.2
"""Strength 1 changes pictures by this much of the distance between two random pictures."""
TRIES, CLOSE = 14, 0.04
FASTEST = 8.0
"""Trials of a strength, how near the change must come to the wanted one, the largest step up."""


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

    @cached_property
    def plain(self) -> Tensor:
        """The samples as they are, ``[N, 3, R, R]``."""
        return self.pictures(torch.zeros_like(self.convolution.weight), 0.0)

    @torch.no_grad()
    def apart(self) -> float:
        """Mean distance of two different samples."""
        return float(self.distance(self.plain, self.plain.roll(1, 0)).mean())

    @torch.no_grad()
    def moved(self, shift: Tensor, strength: float) -> float:
        """Mean distance between the samples at ``strength`` and at 0."""
        return float(self.distance(self.pictures(shift, strength), self.plain).mean())

    def calibrated(self, direction: Tensor) -> Tensor:
        """``direction [out, in, k, k]`` with the norm that makes strength 1 a clear change.

        Raises BadInputError where no strength changes the pictures.
        """
        step, wanted = unit(direction), LIFT * self.apart()
        most = float(torch.linalg.vector_norm(self.convolution.weight)) * 4096
        low, high, strength = 0.0, math.inf, most / 4096 / 16
        for _ in range(TRIES):
            moved = self.moved(step, strength)
            if abs(moved - wanted) <= CLOSE * wanted or strength >= most:
                break
            low, high = (strength, high) if moved < wanted else (low, strength)
            strength = self.next_strength(strength, moved / wanted, low, high)
        if not moved > 0:
            raise BadInputError("The deformation changes nothing at any strength.")
        if moved < wanted / 2:
            # Demodulation limits what a shift can do, however large: then half of that is clear.
            return step * self.half_of(step, strength, moved)
        return step * strength

    @staticmethod
    def next_strength(strength: float, reached: float, low: float, high: float) -> float:
        """Where to look next, when ``reached`` of the wanted change is there at ``strength``."""
        # Distances grow about as the square of a small shift; never leave what brackets it.
        guess = strength * min(max(reached**-0.5 if reached > 0 else FASTEST, 1 / 8), FASTEST)
        if high == math.inf:
            return max(guess, 1.2 * strength)
        return guess if low < guess < high else (low + high) / 2

    def half_of(self, step: Tensor, strength: float, moved: float) -> float:
        """The strength below ``strength`` that moves half as much as the most there is."""
        low, high = 0.0, strength
        while high > 1.05 * low and high > strength / 4096:
            middle = max((low * high) ** 0.5, high / 8)
            if self.moved(step, middle) < moved / 2:
                low = middle
            else:
                high = middle
        return high

    @torch.no_grad()
    def effect(self, shift: Tensor, scorer: Scorer, spread: Tensor) -> dict[str, float]:
        """What strength 1 (against -1, halved) does to each attribute, in its ``spread [A]``."""
        score = scorer.load(str(self.convolution.generator.device))
        change = score(self.pictures(shift, 1.0)) - score(self.pictures(shift, -1.0))
        per_unit = (change / 2).mean(dim=0) / spread
        return {
            name: round(float(value), 3)
            for name, value in zip(scorer.attributes, per_unit, strict=True)
        }


@torch.no_grad()
def spread_of(generator: Generator, scorer: Scorer, samples: int = 64, seed: int = 5) -> Tensor:
    """The standard deviation of each attribute among the generator's own samples, ``[A]``."""
    score = scorer.load(str(generator.device))
    latents = random_latents(generator, samples, seed)
    parts = [latents.with_codes(codes) for codes in torch.split(latents.codes, 8)]
    scores = torch.cat([score(generator.render(part)) for part in parts])  # [samples, A]
    return scores.std(dim=0).clamp_min(1e-3)
