"""The figures of the field for any generator: its pictures against references, its smoothness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from latentfu import Generator, Progress, between, random_latents
from torch import Tensor

from latentfu_builtin.evaluation.references import LEAST, References
from latentfu_builtin.portraits.evaluate.measures import (
    FeatureReader,
    Overlap,
    frechet_distance,
    measure_overlap,
    measure_path_length,
)

_BATCH = 16
_MOST_PATHS = 256

Draw = Callable[[int, int], Tensor]
"""Pictures from one place to before another, ``[N, 3, R, R]`` in -1..1."""


@dataclass(frozen=True)
class EvaluationMethod:
    """How pictures are looked at, and how many.

    Attributes:
        look: Their features.
        features: What these are called.
        distance: Of two batches ``[N, 3, R, R]``: ``[N]``, for the path length.
        samples: Pictures of the generator.
        seed: Of the first.
        psi: Truncation (1 none).
    """

    look: FeatureReader
    features: str
    distance: Callable[[Tensor, Tensor], Tensor]
    samples: int
    seed: int
    psi: float = 1.0


@dataclass(frozen=True)
class GeneratorFigures:
    """What was measured.

    Attributes:
        frechet: Distance to the references (Heusel et al. 2017), in features.
        frechet_floor: Of two halves of the references; no generator does much better. None where
            there are too few.
        overlap: Precision, recall, density and coverage.
        sharpness: Mean absolute Laplacian of gray, over that of the references.
        path_length: Perceptual path length of the latent space (Karras et al. 2019).
    """

    generator: str
    generator_id: str
    features: str
    samples: int
    references: int
    seed: int
    psi: float
    frechet: float
    frechet_floor: float | None
    overlap: Overlap
    sharpness: float
    path_length: float


@dataclass(frozen=True)
class _Seen:
    """Features ``[N, D]`` and sharpness ``[N]`` of pictures."""

    features: Tensor
    sharpness: Tensor


def evaluate_generator(
    generator: Generator, references: References, method: EvaluationMethod, progress: Progress
) -> GeneratorFigures:
    """Draw the generator's pictures and measure them.

    Args:
        generator: any; of a conditional one the pictures of its first label.
        references: what its pictures should be like.
        method: how they are looked at.
        progress: told how far it is; may raise to stop.
    """

    def draw(start: int, end: int) -> Tensor:
        codes = random_latents(generator, end - start, method.seed + start, method.psi)
        return generator.render(codes).clamp(-1, 1)

    real = _look_at(references.draw, references.count, method.look, between(progress, 0.0, 0.45))
    made = _look_at(draw, method.samples, method.look, between(progress, 0.45, 0.9))
    progress(0.9, "Walking through the latent space")
    length = measure_path_length(
        generator, method.distance, min(method.samples, _MOST_PATHS), method.seed
    )
    return GeneratorFigures(
        generator=generator.name,
        generator_id=generator.id,
        features=method.features,
        samples=method.samples,
        references=references.count,
        seed=method.seed,
        psi=method.psi,
        frechet=frechet_distance(real.features, made.features),
        frechet_floor=_measure_floor(real.features),
        overlap=measure_overlap(real.features, made.features),
        sharpness=float(made.sharpness.mean() / real.sharpness.mean().clamp_min(1e-6)),
        path_length=length,
    )


@torch.no_grad()
def _look_at(draw: Draw, count: int, look: FeatureReader, progress: Progress) -> _Seen:
    features, sharpness = [], []
    for start in range(0, count, _BATCH):
        progress(start / count, "Looking at pictures")
        images = draw(start, min(start + _BATCH, count)).float()  # [n, 3, R, R]
        features.append(look(images).float().cpu())
        sharpness.append(_measure_sharpness(images).cpu())
    return _Seen(torch.cat(features), torch.cat(sharpness))


def _measure_floor(features: Tensor) -> float | None:
    half = len(features) // 2
    return frechet_distance(features[:half], features[half:]) if half >= LEAST else None


def _measure_sharpness(images: Tensor) -> Tensor:
    """Mean absolute Laplacian of gray pictures: ``[N, 3, R, R]`` -> ``[N]``."""
    gray = images.mean(dim=1)  # [N, R, R]
    inner = gray[:, 1:-1, 1:-1]
    around = gray[:, :-2, 1:-1] + gray[:, 2:, 1:-1] + gray[:, 1:-1, :-2] + gray[:, 1:-1, 2:]
    return (4 * inner - around).abs().mean(dim=(1, 2))
