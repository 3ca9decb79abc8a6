"""A direction of what leads from pictures before to pictures after: the mean of their steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from latentfu import BadInputError, Direction, Generator, Progress, Scorer

from latentfu_builtin.directions.effects import measure_by_scorer
from latentfu_builtin.directions.seeded_samples import describe_weights
from latentfu_builtin.directions.train_direction import space_of_shape


@dataclass(frozen=True)
class PairSpread:
    """How alike the pairs' steps are. ``agreement``: the mean cosine of each step with the mean
    of all others, 1 when all are alike. ``length``: the standard deviation of how far the steps
    go along their mean, as a part of its length. Of one pair 1 and 0."""

    agreement: float = 1.0
    length: float = 0.0


def measure_mean_difference(codes: torch.Tensor) -> tuple[torch.Tensor, PairSpread]:
    """Codes ``[2P, ...]``, before and after in turn -> the mean step and how alike they are."""
    steps = codes[1::2] - codes[0::2]  # [P, ...]
    mean = steps.mean(dim=0)
    if not float(mean.norm()) > 1e-6:
        raise BadInputError("The pictures of the pairs do not differ: nothing can be learned.")
    if len(steps) == 1:
        return mean, PairSpread()
    others = (steps.sum(dim=0) - steps) / (len(steps) - 1)
    cosines = torch.cosine_similarity(steps.flatten(1), others.flatten(1))
    along = (steps * mean).flatten(1).sum(dim=1) / mean.square().sum()
    return mean, PairSpread(float(cosines.mean()), float(along.std()))


@dataclass(frozen=True)
class PairWords:
    """What a direction's file says of it: ``attribute`` is what a scorer calls it, ``plus`` what a
    positive strength means, for people."""

    name: str
    attribute: str = ""
    plus: str = ""


def average_layers(codes: torch.Tensor, generator: Generator) -> torch.Tensor:
    """Codes ``[N, L, D]`` of w+ as those of w ``[N, D]``; all others as they are."""
    if codes.ndim == 3 and generator.spaces[-1] != "w++":
        return codes.mean(dim=1)
    return codes


def direction_from_pairs(
    codes: torch.Tensor,
    generator: Generator,
    words: PairWords,
    scorer: Scorer | None,
    progress: Progress,
) -> tuple[Direction, PairSpread]:
    """The direction of the pairs' codes, measured, and how alike the pairs are.

    Args:
        codes: ``[2P, ...]``, before and after in turn.
        generator: whose codes they are.
        words: what the file says of the direction.
        scorer: what measures it on fresh samples, None to measure nothing.
        progress: told how far the measurement is.

    Raises:
        BadInputError: the pairs do not differ, or lower their attribute.
    """
    vector, spread = measure_mean_difference(codes)
    normal = vector / vector.norm()
    middle = float((codes.mean(dim=0) * normal).sum())
    direction = Direction(
        vector=np.asarray(vector.numpy(), dtype=np.float32),
        space=space_of_shape(tuple(vector.shape), generator),
        name=words.name,
        **describe_weights(generator),
        attribute=words.attribute,
        plus=words.plus,
        group="own",
        unit="the pairs' mean difference",
        bias=-middle,
        method=f"mean difference of pairs that agree by {spread.agreement:.2f}, their lengths "
        f"spread by {spread.length:.2f}",
        samples=len(codes) // 2,
    )
    return measure_by_scorer(direction, generator, scorer, 0, progress), spread
