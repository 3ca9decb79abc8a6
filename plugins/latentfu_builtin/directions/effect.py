"""What a step along a direction does, as the scorer sees it on fresh samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from latentfu import BadInputError, Generator, Progress, Scorer, random_latents
from torch import Tensor

from latentfu_builtin.directions.samples import Samples, Score, rendered_scores, shared_codes

STEP = 0.5
WEAKEST = 0.02


@dataclass(frozen=True)
class Bench:
    """Fresh samples ``codes [M, D]`` (or ``[M, L, D]``) to try directions on."""

    generator: Generator
    score: Score
    codes: Tensor
    spread: Tensor  # [A]

    @staticmethod
    def fresh(samples: Samples, scorer: Scorer, count: int, seed: int) -> Bench:
        """``count`` samples that no direction was learned from."""
        codes = shared_codes(random_latents(samples.generator, count, seed + 7_654_321))
        score = scorer.load(str(samples.generator.device))
        return Bench(samples.generator, score, codes.cpu(), samples.spread)

    def slopes(self, vector: Tensor, step: float, progress: Progress) -> Tensor:
        """Change of every score, in standard deviations, per ``vector``: ``[A]``.

        ``vector``: ``[D]``, or ``[L, D]`` with a step for each layer. Measured as the difference
        between ``step`` forth and ``step`` back.
        """
        codes = self.codes if vector.ndim < self.codes.ndim else self.codes[:, None]
        both = torch.cat([codes + step * vector, codes - step * vector])
        scores = rendered_scores(self.generator, self.score, both, progress)
        forth, back = torch.split(scores, len(self.codes))
        slopes: Tensor = (forth - back).mean(dim=0) / (2 * step) / self.spread
        return slopes


@dataclass(frozen=True)
class Measured:
    """A direction scaled so that 1 moves its attribute by one standard deviation.

    ``effects [A]``: what 1 does to every attribute.
    """

    vector: Tensor
    effects: Tensor


def to_scale(bench: Bench, vector: Tensor, column: int, name: str, progress: Progress) -> Measured:
    """``vector [D]`` (one standard deviation of the codes) scaled, and turned if need be.

    Raises BadInputError when moving along it hardly changes the attribute.
    """
    first = float(bench.slopes(vector, STEP, progress)[column])
    check_effect(abs(first), name)
    vector = vector / first
    effects = bench.slopes(vector, min(STEP, STEP * abs(first)), progress)
    return Measured(vector, effects)


def check_effect(effect: float, name: str) -> None:
    """Refuse a direction that does next to nothing (raises BadInputError)."""
    if effect < WEAKEST:
        raise BadInputError(
            f"Moving along the direction hardly changes {name}: this generator does not show it."
        )
