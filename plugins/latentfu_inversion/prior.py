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
    """``mean [w_dim]`` and ``axes [w_dim, w_dim]``: w = mean + axes @ p with p about normal."""

    mean: Tensor
    axes: Tensor

    def codes(self, p: Tensor) -> Tensor:
        """p ``[..., w_dim]`` -> w ``[..., w_dim]``."""
        w: Tensor = self.mean + p @ self.axes.T
        return w

    def whitened(self, w: Tensor) -> Tensor:
        """w ``[..., w_dim]`` -> p ``[..., w_dim]``."""
        lengths = self.axes.norm(dim=0)
        p: Tensor = ((w - self.mean) @ (self.axes / lengths)) / lengths
        return p


@torch.no_grad()
def measure_spread(generator: Generator, seed: int = 0) -> Spread:
    """The spread of ``generator``'s w, from 2048 random latents."""
    codes = random_latents(generator, SAMPLES, seed).codes
    w = codes[:, 0] if codes.ndim == 3 else codes
    mean = generator.mean_latent().codes[0]
    mean = mean[0] if mean.ndim == 2 else mean
    centred = (w - mean).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(w))
    spread = values.clamp(min=0).sqrt()
    spread = spread.clamp(min=float(spread.max()) * SMALLEST_SPREAD + 1e-8)
    return Spread(mean.float(), (vectors * spread).float())
