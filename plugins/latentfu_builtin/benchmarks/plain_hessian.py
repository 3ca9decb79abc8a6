"""The paper's way to the Hessian's eigenvectors, plainly: to measure ours against.

One vector after the other by power iteration, each kept out of the way of those before it;
products with the Hessian by a central difference of gradients with a fixed small factor; 20
steps for each vector whether it has converged or not. Written for this comparison after the
description in arXiv 2011.13786.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_STEPS = 20
_FACTOR = 0.1


def power_iteration(products: Any, count: int, seed: int = 0) -> Tensor:
    """``count`` unit vectors ``[count, out, in, k, k]``, strongest first."""
    random = torch.Generator().manual_seed(seed)
    found: list[Tensor] = []
    for _ in range(count):
        vector = torch.randn(products.shape, generator=random)
        vector = vector / vector.norm()
        for _ in range(_STEPS):
            vector = _remove_parts(vector, found)
            size = vector.norm()
            forth = _gradient(products, _FACTOR * vector)
            back = _gradient(products, -_FACTOR * vector)
            vector = (forth - back) / (2 * _FACTOR * size)
        vector = _remove_parts(vector, found)
        found.append(vector / vector.norm())
    return torch.stack(found)


def _remove_parts(vector: Tensor, found: list[Tensor]) -> Tensor:
    """``vector`` without its parts along those found."""
    for other in found:
        vector = vector - (vector * other).sum() * other
    return vector


def _gradient(products: Any, shift: Tensor) -> Tensor:
    """Gradient of the mean distance at ``shift``."""
    total = torch.zeros_like(shift)
    for latent in products._parts:
        free = shift.clone().requires_grad_(True)
        with torch.no_grad():
            still = products.seen(latent, torch.zeros_like(shift))
        change = products.distance(products.seen(latent, free), still).sum()
        total += torch.autograd.grad(change, free)[0]
    return total / len(products.latents)
