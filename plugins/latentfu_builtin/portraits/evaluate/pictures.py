"""The two sets that are compared: fresh renders, and the network's pictures, with their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from latentfu import Generator, Progress
from torch import Tensor

from latentfu_builtin.portraits.renderer import FACTORS, from_normal, render
from latentfu_builtin.portraits.scorer.network import Scorer

BATCH = 16
Look = Callable[[Tensor], Tensor]
"""Pictures ``[N, 3, R, R]`` in -1..1 -> features ``[N, D]``."""


@dataclass(frozen=True)
class Judge:
    """Who looks at the pictures: the scorer, and what gives the features."""

    scorer: Scorer
    look: Look


@dataclass(frozen=True)
class Seen:
    """What was seen of a set: ``features [N, D]``, ``scores [N, F]``, true ``factors [N, F]``."""

    features: Tensor
    scores: Tensor
    factors: Tensor


def scorer_features(scorer: Scorer) -> Look:
    """The scorer's last hidden layer as features ``[N, 128]``."""
    import torch.nn.functional as F

    @torch.no_grad()
    def look(images: Tensor) -> Tensor:
        last = scorer.features(images)[-1].float()
        return F.leaky_relu(scorer.dense(last.flatten(1)), 0.1)

    return look


@torch.no_grad()
def rendered(
    judge: Judge, side: int, count: int, seed: int, progress: Progress, *, compiled: bool = False
) -> Seen:
    """``count`` fresh renders of ``side`` pixels; ``compiled`` as `render` has it."""
    random = torch.Generator().manual_seed(seed)
    factors = from_normal(torch.randn(count, len(FACTORS), generator=random))

    def draw(start: int, end: int) -> Tensor:
        return render(factors[start:end], side, supersample=2, compiled=compiled)

    return see(draw, factors, judge, progress)


@torch.no_grad()
def generated(
    generator: Generator,
    taught: Callable[[Tensor], Tensor],
    judge: Judge,
    *,
    count: int,
    seed: int,
    progress: Progress,
) -> Seen:
    """``count`` pictures of the network; ``taught`` says what each z stands for."""
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed))

    def draw(start: int, end: int) -> Tensor:
        return generator.render(generator.map(z[start:end].to(generator.device))).clamp(-1, 1)

    return see(draw, from_normal(taught(z)), judge, progress)


def see(
    draw: Callable[[int, int], Tensor],
    factors: Tensor,
    judge: Judge,
    progress: Progress,
) -> Seen:
    """Draw the pictures of ``factors [N, F]`` a few at a time and keep what is seen of them."""
    count = len(factors)
    features, scores = [], []
    for start in range(0, count, BATCH):
        progress(start / count, "Drawing")
        images = draw(start, min(start + BATCH, count))
        features.append(judge.look(images).cpu())
        scores.append(judge.scorer(images).cpu())
    return Seen(torch.cat(features), torch.cat(scores), factors)
