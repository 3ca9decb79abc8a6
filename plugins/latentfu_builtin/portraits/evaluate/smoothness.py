"""Perceptual path length in w (Karras et al. 2019, arXiv 1812.04948)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from latentfu import Generator, random_latents
from torch import Tensor

STEP = 1e-2
"""Part of the way between two latents. The paper's 1e-4 drowns in the rounding of features
compared in float32; the length per step changes little up to here."""


@torch.no_grad()
def path_length(
    generator: Generator,
    distance: Callable[[Tensor, Tensor], Tensor],
    count: int,
    seed: int,
    batch: int = 16,
) -> float:
    """Mean of distance(G(w_t), G(w_t+step)) / step^2 over ``count`` random places t in 0..1.

    ``distance``: of two batches of pictures ``[N, 3, R, R]`` -> ``[N]``.
    """
    total = 0.0
    for start in range(0, count, batch):
        n = min(batch, count - start)
        a, b = torch.split(
            random_latents(generator, 2 * n, seed + start).codes, n
        )  # [n, num_ws, w_dim]
        t = torch.rand(n, 1, 1, generator=torch.Generator().manual_seed(seed + start)).to(a)
        here, there = torch.lerp(a, b, t), torch.lerp(a, b, t + STEP)
        latent = random_latents(generator, n, seed)
        pictures = [generator.render(latent.with_codes(codes)) for codes in (here, there)]
        total += float(distance(pictures[0], pictures[1]).sum()) / STEP**2
    return total / count
