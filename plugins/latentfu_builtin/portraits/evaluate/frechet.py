"""Frechet distance of two sets of features (Heusel et al. 2017, arXiv 1706.08500)."""

from __future__ import annotations

import torch
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Distance of two normal distributions fitted to features ``[N, D]`` and ``[M, D]``.

    |mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)), A and B the covariances, in float64.
    The trace of the root is the sum of the roots of the eigenvalues of R B R with R R = A,
    which is symmetric, so that rounding gives no imaginary parts.
    """
    a, b = a.double(), b.double()
    root = root_of(torch.cov(a.T))  # [D, D]
    inner = root @ torch.cov(b.T) @ root  # [D, D]
    shared = torch.linalg.eigvalsh(inner).clamp_min(0).sqrt().sum()
    moved = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    spread = torch.cov(a.T).trace() + torch.cov(b.T).trace() - 2 * shared
    return float((moved + spread).clamp_min(0))


def root_of(matrix: Tensor) -> Tensor:
    """The symmetric square root of a covariance ``[D, D]``."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root
