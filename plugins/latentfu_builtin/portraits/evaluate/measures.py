"""What says how good pictures are: Frechet distance, neighbors, memorizing, smoothness.

The Frechet distance of two sets of features is Heusel et al. 2017 (arXiv 1706.08500), the
perceptual path length Karras et al. 2019 (arXiv 1812.04948).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, random_latents, read_torch
from torch import Tensor, nn

FeatureReader = Callable[[Tensor], Tensor]
"""Pictures ``[N, 3, R, R]`` in -1..1 -> features ``[N, D]``."""

_CHUNK = 1000
_STEP = 1e-2
"""Part of the way between two latents. The paper's 1e-4 drowns in the rounding of features
compared in float32; the length per step changes little up to here."""


@dataclass(frozen=True)
class Overlap:
    """How two sets of features cover each other; all about 1 for two draws of one thing."""

    precision: float
    recall: float
    density: float
    coverage: float


def _measure_radii(features: Tensor, k: int) -> Tensor:
    """Distance ``[N]`` of each of ``features [N, D]`` to its k-th nearest other one."""
    parts = [
        torch.cdist(part, features).kthvalue(k + 1, dim=1).values
        for part in torch.split(features, _CHUNK)
    ]
    return torch.cat(parts)


def measure_overlap(real: Tensor, made: Tensor, k: int = 5) -> Overlap:
    """Precision, recall, density and coverage of ``made [M, D]`` against ``real [N, D]``."""
    around_real, around_made = _measure_radii(real, k), _measure_radii(made, k)
    inside_real = torch.zeros(len(made))  # in how many real neighborhoods each made one lies
    found_real = torch.zeros(len(real), dtype=torch.bool)  # reached by a made one, by real radii
    covered = torch.zeros(len(real), dtype=torch.bool)  # inside a made neighborhood
    for start in range(0, len(made), _CHUNK):
        part = slice(start, start + _CHUNK)
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


def _find_nearest(features: Tensor, known: Tensor) -> Tensor:
    """Distance ``[N]`` of each of ``features [N, D]`` to the nearest of ``known [M, D]``."""
    return torch.cat(
        [torch.cdist(part, known).amin(dim=1) for part in torch.split(features, _CHUNK)]
    )


def measure_memorizing(made: Tensor, fresh: Tensor, known: Tensor) -> float:
    """Median distance of made pictures to their nearest training picture, over that of fresh
    renders to theirs: about 1 when nothing is copied, far below 1 when training pictures are
    repeated. All ``[*, D]``."""
    return float(_find_nearest(made, known).median() / _find_nearest(fresh, known).median())


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Distance of two normal distributions fitted to features ``[N, D]`` and ``[M, D]``.

    |mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)), A and B the covariances, in float64.
    The trace of the root is the sum of the roots of the eigenvalues of R B R with R R = A,
    which is symmetric, so that rounding gives no imaginary parts.
    """
    a, b = a.double(), b.double()
    root = _matrix_root(torch.cov(a.T))  # [D, D]
    inner = root @ torch.cov(b.T) @ root  # [D, D]
    shared = torch.linalg.eigvalsh(inner).clamp_min(0).sqrt().sum()
    moved = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    spread = torch.cov(a.T).trace() + torch.cov(b.T).trace() - 2 * shared
    return float((moved + spread).clamp_min(0))


def _matrix_root(matrix: Tensor) -> Tensor:
    """The symmetric square root of a covariance ``[D, D]``."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def load_inception_features(weights: Path) -> FeatureReader:
    """Pooled features ``[N, 2048]`` of torchvision's inception_v3 with ``weights``, a state dict.

    Not the network of the published FID figures, so compare only with figures made by this one.
    """
    from torchvision.models import inception_v3

    network = inception_v3(weights=None, init_weights=False, aux_logits=True)
    try:
        network.load_state_dict(read_torch(weights))
    except Exception as error:
        raise BadInputError(
            f"{weights} holds no state dict of torchvision's inception_v3."
        ) from error
    network.fc = nn.Identity()
    network.eval().requires_grad_(False)

    def look(images: Tensor) -> Tensor:
        large = F.interpolate(images, size=(299, 299), mode="bilinear", antialias=True)
        features: Tensor = network(large)  # [N, 2048]
        return features

    return look


@torch.no_grad()
def measure_path_length(
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
        )  # [n, num_ws, w_dim], or [n, z_dim] where z is edited
        t = torch.rand(n, generator=torch.Generator().manual_seed(seed + start)).to(a)
        t = t.reshape(n, *[1] * (a.ndim - 1))
        here, there = torch.lerp(a, b, t), torch.lerp(a, b, t + _STEP)
        latent = random_latents(generator, n, seed)
        pictures = [generator.render(latent.with_codes(codes)) for codes in (here, there)]
        total += float(distance(pictures[0], pictures[1]).sum()) / _STEP**2
    return total / count
