"""Coordinates in which a generator's codes have the same spread along every axis.

A boundary found there, brought back, is the move of the codes that goes with the attribute:
it follows the codes' own distribution instead of leaving it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST_SPREAD = 0.01
"""Axes along which codes spread less than this part of the widest one are left out."""


@dataclass(frozen=True)
class Whitening:
    """``mean [D]``; ``axes [D, K]``: codes = mean + axes @ p, with p ``[K]`` of unit variance."""

    mean: Tensor
    axes: Tensor

    @staticmethod
    def of(codes: Tensor) -> Whitening:
        """The whitening of codes ``[N, D]``, or ``[N, L, D]`` with D of L D numbers."""
        codes = codes.double().flatten(1)
        mean = codes.mean(dim=0)
        centred = codes - mean
        if codes.shape[1] > len(codes):
            _, widths, across = torch.linalg.svd(centred, full_matrices=False)
            spread = widths / (len(codes) - 1) ** 0.5
            kept = spread > LEAST_SPREAD * spread.max()
            return Whitening(mean, across.T[:, kept] * spread[kept])
        values, vectors = torch.linalg.eigh(centred.T @ centred / (len(codes) - 1))
        spread = values.clamp(min=0).sqrt()
        kept = spread > LEAST_SPREAD * spread.max()
        return Whitening(mean, vectors[:, kept] * spread[kept])

    def coordinates(self, codes: Tensor) -> Tensor:
        """codes as they were given to `of` -> p ``[N, K]`` float64."""
        lengths = self.axes.norm(dim=0)
        p: Tensor = ((codes.double().flatten(1) - self.mean) @ (self.axes / lengths)) / lengths
        return p

    def move(self, p: Tensor) -> Tensor:
        """A step p ``[K]`` as a step of codes ``[D]``, float32."""
        step: Tensor = (self.axes @ p).float()
        return step

    def plane(self, normal: Tensor, bias: float) -> tuple[Tensor, float]:
        """The plane p . normal + bias = 0 in codes: unit normal ``[D]`` float32, and its bias."""
        slope = (self.axes / self.axes.norm(dim=0) ** 2) @ normal
        length = slope.norm().clamp(min=1e-12)
        return (slope / length).float(), float((bias - self.mean @ slope) / length)
