"""What nearest neighbours say of two sets of features: fidelity, variety, memorising.

Precision and recall: Kynkaanniemi et al. 2019, arXiv 1904.06991. Density and coverage: Naeem et
al. 2020, arXiv 2002.09797.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 1000


@dataclass(frozen=True)
class Overlap:
    """How two sets of features cover each other; all about 1 for two draws of one thing."""

    precision: float
    recall: float
    density: float
    coverage: float


def radii(features: Tensor, k: int) -> Tensor:
    """Distance ``[N]`` of each of ``features [N, D]`` to its k-th nearest other one."""
    parts = [
        torch.cdist(part, features).kthvalue(k + 1, dim=1).values
        for part in torch.split(features, CHUNK)
    ]
    return torch.cat(parts)


def overlap(real: Tensor, made: Tensor, k: int = 5) -> Overlap:
    """Precision, recall, density and coverage of ``made [M, D]`` against ``real [N, D]``."""
    around_real, around_made = radii(real, k), radii(made, k)
    inside_real = torch.zeros(len(made))  # in how many real neighbourhoods each made one lies
    found_real = torch.zeros(len(real), dtype=torch.bool)  # reached by a made one, by real radii
    covered = torch.zeros(len(real), dtype=torch.bool)  # inside a made neighbourhood
    for start in range(0, len(made), CHUNK):
        part = slice(start, start + CHUNK)
        distance = torch.cdist(made[part], real)  # [m, N]
        near = distance <= around_real[None]
        inside_real[part] = near.sum(dim=1).float()
        found_real |= near.any(dim=0)
        covered |= (distance <= around_made[part, None]).any(dim=0)
    return Overlap(
        precision=float((inside_real > 0).float().mean()),
        recall=float(covered.float().mean()),
        density=float(inside_real.mean() / k),
        coverage=float(found_real.float().mean()),
    )


def nearest(features: Tensor, known: Tensor) -> Tensor:
    """Distance ``[N]`` of each of ``features [N, D]`` to the nearest of ``known [M, D]``."""
    return torch.cat(
        [torch.cdist(part, known).amin(dim=1) for part in torch.split(features, CHUNK)]
    )


def memorising(made: Tensor, fresh: Tensor, known: Tensor) -> float:
    """Median distance of made pictures to their nearest training picture, over that of fresh
    renders to theirs: about 1 when nothing is copied, far below 1 when training pictures are
    repeated. All ``[*, D]``."""
    return float(nearest(made, known).median() / nearest(fresh, known).median())
