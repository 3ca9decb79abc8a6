"""The figures of the field for any generator: its pictures against references, its smoothness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from latentfu import Generator, Progress, between, random_latents
from torch import Tensor

from latentfu_builtin.evaluation.references import LEAST, References
from latentfu_builtin.portraits.evaluate.measures import (
    FeatureReader,
    Overlap,
    frechet_distance,
    load_inception_features,
    measure_overlap,
    measure_path_length,
)
from latentfu_builtin.portraits.evaluate.report import make_scorer_features
from latentfu_builtin.portraits.shipped import load_shipped_scorer

BATCH = 16
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
class GeneratedPictures:
    """A generator's own pictures, by their numbers."""

    generator: Generator
    seed: int
    psi: float

    def draw(self, start: int, end: int) -> Tensor:
        """Those from ``start`` to before ``end``; which are drawn together counts."""
        codes = random_latents(self.generator, end - start, self.seed + start, self.psi)
        return self.generator.render(codes).clamp(-1, 1)


class FeatureDivider(Protocol):
    """Looks at pictures by other processes or machines."""

    def look_at_generated(
        self, generator: Generator, method: EvaluationMethod, progress: Progress
    ) -> PictureLooks: ...

    def look_at_references(
        self,
        references: References,
        generator: Generator,
        method: EvaluationMethod,
        progress: Progress,
    ) -> PictureLooks: ...


@dataclass(frozen=True)
class PictureLooks:
    """Features ``[N, D]`` and sharpness ``[N]`` of pictures."""

    features: Tensor
    sharpness: Tensor


def evaluate_generator(
    generator: Generator,
    references: References,
    method: EvaluationMethod,
    progress: Progress,
    divider: FeatureDivider | None = None,
) -> GeneratorFigures:
    """Draw the generator's pictures and measure them.

    Args:
        generator: any; of a conditional one the pictures of its first label.
        references: what its pictures should be like.
        method: how they are looked at.
        progress: told how far it is; may raise to stop.
        divider: who looks at the pictures; None for this process.
    """
    first, second = between(progress, 0.0, 0.45), between(progress, 0.45, 0.9)
    if divider is None:
        own = GeneratedPictures(generator, method.seed, method.psi)
        real = _look_at(references.draw, references.count, method.look, first)
        made = _look_at(own.draw, method.samples, method.look, second)
    else:
        real = divider.look_at_references(references, generator, method, first)
        made = divider.look_at_generated(generator, method, second)
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


def _look_at(draw: Draw, count: int, look: FeatureReader, progress: Progress) -> PictureLooks:
    found = []
    for start in range(0, count, BATCH):
        progress(start / count, "Looking at pictures")
        with torch.no_grad():
            images = draw(start, min(start + BATCH, count))
        found.append(look_at_pictures(images, look))
    return PictureLooks(
        torch.cat([each.features for each in found]), torch.cat([each.sharpness for each in found])
    )


@torch.no_grad()
def look_at_pictures(images: Tensor, look: FeatureReader) -> PictureLooks:
    """Features and sharpness of a batch ``[N, 3, R, R]`` in -1..1, on the CPU."""
    images = images.float()
    return PictureLooks(look(images).float().cpu(), _measure_sharpness(images).cpu())


def open_feature_reader(inception: Path | None) -> FeatureReader:
    """What looks: the portraits' scorer, or Inception where its weights are given."""
    if inception is not None:
        return load_inception_features(inception)
    return make_scorer_features(load_shipped_scorer("cpu"))


def _measure_floor(features: Tensor) -> float | None:
    half = len(features) // 2
    return frechet_distance(features[:half], features[half:]) if half >= LEAST else None


def _measure_sharpness(images: Tensor) -> Tensor:
    """Mean absolute Laplacian of gray pictures: ``[N, 3, R, R]`` -> ``[N]``."""
    gray = images.mean(dim=1)  # [N, R, R]
    inner = gray[:, 1:-1, 1:-1]
    around = gray[:, :-2, 1:-1] + gray[:, 2:, 1:-1] + gray[:, 1:-1, :-2] + gray[:, 1:-1, 2:]
    return (4 * inner - around).abs().mean(dim=(1, 2))
