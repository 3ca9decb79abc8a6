"""Where a generator's own latents lie: the coordinates in which the inverter searches.

Zhu et al. 2020 (arXiv 2012.09036) measure a code by its distance to the mean in units of the
spread of w. Here the search itself is done in those units, so that one learning rate fits all
axes and the codes stay where edits keep their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from latentfu import Generator, random_latents
from torch import Tensor

SAMPLES = 2048
SMALLEST_SPREAD = 0.02
"""Axes narrower than this part of the widest one are searched as if they had it."""


@dataclass(frozen=True)
class Spread:
    """``mean [D]`` and ``axes [D, D]``: w = mean + axes @ p with p about normal.

    For codes whose rows each have a spread of their own: ``[rows, D]`` and ``[rows, D, D]``.
    """

    mean: Tensor
    axes: Tensor

    def codes(self, p: Tensor) -> Tensor:
        """p ``[..., D]`` (``[N, rows, D]``) -> w of the same shape."""
        return self.mean + self.moved(p)

    def moved(self, p: Tensor) -> Tensor:
        """p ``[..., D]`` (``[N, rows, D]``) -> how far from the mean that is in w."""
        if self.axes.ndim == 2:
            return p @ self.axes.T
        return torch.einsum("nrp,rwp->nrw", p, self.axes)

    def whitened(self, w: Tensor) -> Tensor:
        """w ``[..., D]`` (``[N, rows, D]``) -> p of the same shape."""
        lengths = self.axes.norm(dim=-2)
        directions = self.axes / lengths.unsqueeze(-2)
        if self.axes.ndim == 2:
            p: Tensor = ((w - self.mean) @ directions) / lengths
        else:
            p = torch.einsum("nrw,rwp->nrp", w - self.mean, directions) / lengths
        return p


def measure_spread(generator: Generator, seed: int = 0) -> Spread:
    """The spread of ``generator``'s w, one for all rows, from 2048 random latents."""
    samples = sampled(generator, seed)  # [N, rows, D]
    mean = generator.mean_latent().codes[0]
    mean = mean.mean(dim=0) if mean.ndim == 2 else mean
    return spread_around(mean, samples.flatten(0, 1))


def measure_row_spread(generator: Generator, seed: int = 0) -> Spread:
    """The spread of each row of ``generator``'s codes (w++, where each token has its own)."""
    samples = sampled(generator, seed).transpose(0, 1)  # [rows, N, D]
    means = generator.mean_latent().codes[0]
    parts = [spread_around(mean, row) for mean, row in zip(means, samples, strict=True)]
    return Spread(torch.stack([p.mean for p in parts]), torch.stack([p.axes for p in parts]))


@torch.no_grad()
def sampled(generator: Generator, seed: int) -> Tensor:
    """2048 codes ``[N, rows, D]``; one row where all rows of a code are the same."""
    latents = random_latents(generator, SAMPLES, seed)
    if latents.space == "w++":
        return latents.codes
    return latents.codes[:, :1] if latents.codes.ndim == 3 else latents.codes[:, None]


@torch.no_grad()
def spread_around(mean: Tensor, codes: Tensor) -> Spread:
    """The axes of ``codes [N, D]`` around ``mean [D]``, each as long as the spread along it."""
    centred = (codes - mean).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(codes))
    spread = values.clamp(min=0).sqrt()
    spread = spread.clamp(min=float(spread.max()) * SMALLEST_SPREAD + 1e-8)
    return Spread(mean.float(), (vectors * spread).float())
