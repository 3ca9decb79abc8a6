"""How strong a deformation of strength 1 is, what it does, and how much of it no direction can."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import latentfu
import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, Latent, Progress, Scorer, random_latents
from torch import Tensor

from latentfu_builtin.deformations.convolution import (
    SEEN_SIDE,
    ShiftedConvolution,
    draw_seen,
    normalize_shift,
)
from latentfu_builtin.deformations.hessian import PictureDistance

CLEAR_CHANGE = 0.2
"""Strength 1 changes pictures by this much of the distance between two random pictures."""
_TRIES, _CLOSE = 14, 0.04
_FASTEST = 8.0
"""Trials of a strength, how near the change must come to the wanted one, the largest step up."""
_FEW = 4
"""Samples on which a strength is looked for before it is looked for on all."""
_SIDE = 32


@dataclass(frozen=True)
class StrengthCalibration:
    """Samples on which deformations of a convolution are tried."""

    convolution: ShiftedConvolution
    latents: Latent
    distance: PictureDistance

    @torch.no_grad()
    def render(self, shift: Tensor, strength: float) -> Tensor:
        """The samples with the layer deformed, ``[N, 3, S, S]``, as large as it shows."""
        parts = [self.latents.with_codes(codes) for codes in torch.split(self.latents.codes, 8)]
        return torch.cat([self.convolution.render_seen(part, shift, strength) for part in parts])

    @cached_property
    def plain(self) -> Tensor:
        """The samples as they are, ``[N, 3, S, S]``."""
        return self.render(torch.zeros_like(self.convolution.weight), 0.0)

    @torch.no_grad()
    def measure_spread(self) -> float:
        """Mean distance of two different samples."""
        return float(self.distance(self.plain, self.plain.roll(1, 0)).mean())

    @torch.no_grad()
    def measure_change(self, shift: Tensor, strength: float) -> float:
        """Mean distance between the samples at ``strength`` and at 0."""
        return float(self.distance(self.render(shift, strength), self.plain).mean())

    def calibrate(self, direction: Tensor) -> Tensor:
        """``direction [out, in, k, k]`` with the norm that makes strength 1 a clear change.

        Raises BadInputError where no strength changes the pictures.
        """
        step = normalize_shift(direction)
        start = float(torch.linalg.vector_norm(self.convolution.weight)) / 16
        if len(self.latents) >= 2 * _FEW:
            start = self._few.find_strength(step, start)
        return step * self.find_strength(step, start)

    @cached_property
    def _few(self) -> StrengthCalibration:
        """On a few of the samples, to begin the search near its end."""
        latents = self.latents.with_codes(self.latents.codes[:_FEW])
        return StrengthCalibration(self.convolution, latents, self.distance)

    def find_strength(self, step: Tensor, start: float) -> float:
        """The strength at which the unit ``step [out, in, k, k]`` is a clear change.

        It is looked for from ``start`` on. Raises BadInputError where none changes the pictures.
        """
        wanted = CLEAR_CHANGE * self.measure_spread()
        most = float(torch.linalg.vector_norm(self.convolution.weight)) * 4096
        low, high, strength = 0.0, math.inf, start
        for _ in range(_TRIES):
            moved = self.measure_change(step, strength)
            if abs(moved - wanted) <= _CLOSE * wanted or strength >= most:
                break
            low, high = (strength, high) if moved < wanted else (low, strength)
            strength = self._next_strength(strength, moved / wanted, low, high)
        if not moved > 0:
            raise BadInputError("The deformation changes nothing at any strength.")
        if moved < wanted / 2:
            # Demodulation limits what a shift can do, however large: then half of that is clear.
            return self._find_half(step, strength, moved)
        return strength

    @staticmethod
    def _next_strength(strength: float, reached: float, low: float, high: float) -> float:
        """Where to look next, when ``reached`` of the wanted change is there at ``strength``."""
        # Distances grow about as the square of a small shift; never leave what brackets it.
        guess = strength * min(max(reached**-0.5 if reached > 0 else _FASTEST, 1 / 8), _FASTEST)
        if high == math.inf:
            return max(guess, 1.2 * strength)
        return guess if low < guess < high else (low + high) / 2

    def _find_half(self, step: Tensor, strength: float, moved: float) -> float:
        """The strength below ``strength`` that moves half as much as the most there is."""
        low, high = 0.0, strength
        while high > 1.05 * low and high > strength / 4096:
            middle = max((low * high) ** 0.5, high / 8)
            if self.measure_change(step, middle) < moved / 2:
                low = middle
            else:
                high = middle
        return high

    @torch.no_grad()
    def measure_effect(self, shift: Tensor, scorer: Scorer, spread: Tensor) -> dict[str, float]:
        """What strength 1 (against -1, halved) does to each attribute, in its ``spread [A]``."""
        score = scorer.load(str(self.convolution.generator.device))
        change = score(self.render(shift, 1.0)) - score(self.render(shift, -1.0))
        per_unit = (change / 2).mean(dim=0) / spread
        return {
            name: round(float(value), 3)
            for name, value in zip(scorer.attributes, per_unit, strict=True)
        }


@torch.no_grad()
def measure_attribute_spread(
    generator: Generator, scorer: Scorer, samples: int = 64, seed: int = 5
) -> Tensor:
    """The standard deviation of each attribute among the generator's own samples, ``[A]``."""
    score = scorer.load(str(generator.device))
    latents = random_latents(generator, samples, seed)
    parts = [latents.with_codes(codes) for codes in torch.split(latents.codes, 8)]
    scores = torch.cat([score(draw_seen(generator, part)) for part in parts])  # [samples, A]
    return scores.std(dim=0).clamp_min(1e-3)


@dataclass(frozen=True)
class DirectionSpan:
    """What the directions of a generator reach around a few samples.

    ``spans``: for each sample an orthonormal ``[3 S S, directions]`` of the changes that the
    directions make; ``plain [N, 3 S S]``: the samples, small.
    """

    samples: latentfu.Latent
    plain: Tensor
    spans: list[Tensor]

    @torch.no_grad()
    def measure_novelty(self, convolution: ShiftedConvolution, shift: Tensor) -> float:
        """The share (0..1) of the change by ``shift`` that no mixture of directions makes.

        As energy of the small pictures' change, the mean over samples, at strength 1.
        """
        deformed = _downscale(convolution.render_seen(self.samples, shift))
        left = []
        for change, span in zip(deformed - self.plain, self.spans, strict=True):
            rest = change - span @ (span.T @ change)
            left.append(float(rest.square().sum() / change.square().sum().clamp_min(1e-12)))
        return sum(left) / len(left)


def _downscale(images: Tensor) -> Tensor:
    """Pictures ``[N, 3, R, R]`` -> ``[N, 3 S S]``, averaged down."""
    side = min(_SIDE, images.shape[-1])
    return F.interpolate(images, size=(side, side), mode="area").flatten(1)


@torch.no_grad()
def measure_direction_span(
    generator: Generator,
    progress: Progress,
    samples: int = 4,
    seed: int = 11,
    *,
    side: int = SEEN_SIDE,
) -> DirectionSpan:
    """The reach of all installed directions, each moved by one unit to either side.

    ``side``: of the pictures, ``seen_side`` of the convolution that is compared with it.
    """
    latents = random_latents(generator, samples, seed, psi=0.8)
    plain = _downscale(draw_seen(generator, latents, side))
    controls = latentfu.controls(generator).values()
    changes = []
    directions = [control for control in controls if control.kind == "direction"]
    for place, control in enumerate(directions):
        progress(place / len(directions), f"Looking at {control.name}")
        mover = control.load_for(generator)
        for strength in (-1.0, 1.0):
            moved = draw_seen(generator, mover.apply(latents, strength, generator), side)
            changes.append(_downscale(moved) - plain)
    if not changes:
        return DirectionSpan(latents, plain, [plain.new_zeros(plain.shape[1], 1)] * samples)
    stacked = torch.stack(changes)  # [2 D, N, 3 S S]
    spans = [torch.linalg.qr(stacked[:, row].T)[0] for row in range(samples)]
    return DirectionSpan(latents, plain, spans)
