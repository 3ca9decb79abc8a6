"""Training the scorer on rendered pairs, and measuring it factor by factor."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, mixed_precision, write_whole
from torch import Tensor

from latentfu_builtin.portraits.augment import change_mildly, choose_some
from latentfu_builtin.portraits.renderer import FACTOR_NAMES, FACTORS, from_normal
from latentfu_builtin.portraits.scorer.network import (
    _CIRCULAR,
    PRESENCE_FACTORS,
    ScorerNetwork,
    save_scorer,
)
from latentfu_builtin.stylegan.training.pairs import PairCache

_PLAIN = tuple(i for i in range(len(FACTORS)) if i not in PRESENCE_FACTORS and i not in _CIRCULAR)
_VARIANCES = from_normal(
    torch.randn(10_000, len(FACTORS), generator=torch.Generator().manual_seed(0))
).var(dim=0)[list(_PLAIN)]
"""How much the plain factors vary, so that each counts the same."""


@dataclass(frozen=True)
class ScorerOptions:
    """How the scorer is trained; amounts are counted in pictures.

    changed: the share of pictures that are blurred, tinted and moved; weights: how much more
    than 1 a factor's error counts, by name; compiled: by torch.compile, a third faster on a CPU
    after a minute.
    """

    images: int = 120_000
    batch: int = 64
    lr: float = 2e-3
    seed: int = 0
    holdout: int = 1024
    bf16: bool = True
    changed: float = 1.0
    weights: tuple[tuple[str, float], ...] = ()
    compiled: bool = False


def weigh_factors(weights: tuple[tuple[str, float], ...]) -> Tensor:
    """How much each factor's error counts, [F]; BadInputError for a name that is not a factor."""
    result = torch.ones(len(FACTORS))
    for name, weight in weights:
        if name not in FACTOR_NAMES:
            raise BadInputError(f"There is no factor {name}; there are {', '.join(FACTOR_NAMES)}.")
        result[FACTOR_NAMES.index(name)] = weight
    return result


def scorer_loss(numbers: Tensor, factors: Tensor, weights: Tensor) -> Tensor:
    """Squared error for values and hues, cross entropy for presence; numbers as `Scorer.raw`,
    factors [N, F], weights [F]."""
    plain = (numbers[:, _PLAIN] - factors[:, _PLAIN]).square() / _VARIANCES
    there = (factors[:, PRESENCE_FACTORS] > 0).float()
    logits = numbers[:, PRESENCE_FACTORS]
    presence = F.binary_cross_entropy_with_logits(logits, there, reduction="none")
    angle = factors[:, _CIRCULAR] * math.pi
    sines = numbers[:, len(FACTORS) :]
    round_ = (numbers[:, _CIRCULAR] - angle.cos()).square() + (sines - angle.sin()).square()
    parts = ((plain, _PLAIN), (presence, PRESENCE_FACTORS), (round_, _CIRCULAR))
    return torch.stack([(part @ weights[list(places)]).mean() for part, places in parts]).sum()


def train_scorer(
    cache: PairCache,
    options: ScorerOptions,
    say: Callable[[str], None],
    start: ScorerNetwork | None = None,
) -> tuple[ScorerNetwork, dict[str, float]]:
    """A scorer trained on the cache's pairs (from `start`, if given), and its figures on those
    held out."""
    torch.manual_seed(options.seed)
    random = torch.Generator().manual_seed(options.seed)
    scorer = (start or ScorerNetwork()).to(memory_format=torch.channels_last)
    scorer.train().requires_grad_(True)
    adam = torch.optim.AdamW(scorer.parameters(), lr=options.lr, weight_decay=0.02)
    raw = torch.compile(scorer.raw) if options.compiled else scorer.raw
    weights = weigh_factors(options.weights)
    steps = max(1, options.images // options.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(adam, options.lr, total_steps=steps, pct_start=0.1)
    held = min(options.holdout, cache.count // 8)
    begun = said = time.monotonic()
    for step in range(steps):
        rows = torch.randint(held, cache.count, (options.batch,), generator=random)
        chosen = rows.sort().values.numpy()
        images = cache.rows(chosen).images.contiguous()
        images = torch.where(
            choose_some(images, options.changed, random), change_mildly(images, random), images
        )
        images = images.contiguous(memory_format=torch.channels_last)
        with mixed_precision("cpu", options.bf16):
            numbers = raw(images)
        value = scorer_loss(numbers.float(), from_normal(cache.normals(chosen)), weights)
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        adam.step()
        plan.step()
        if time.monotonic() - said > 10:
            said = time.monotonic()
            speed = (step + 1) * options.batch / (said - begun)
            say(f"{step + 1}/{steps}  loss {value.item():.3f}  {speed:.0f} img/s")
    scorer.eval().requires_grad_(False)
    return scorer, _measure_scorer(scorer, cache, held)


@torch.no_grad()
def _measure_scorer(scorer: ScorerNetwork, cache: PairCache, count: int) -> dict[str, float]:
    """R2 of each continuous factor, accuracy of each presence factor, on held-out renders."""
    parts = [
        scorer(cache.rows(slice(i, min(i + 64, count))).images.contiguous())
        for i in range(0, count, 64)
    ]
    return summarize_figures(torch.cat(parts), from_normal(cache.normals(slice(0, count))))


def summarize_figures(found: Tensor, truth: Tensor) -> dict[str, float]:
    """The figures by factor, from values [N, F] found and true."""
    result: dict[str, float] = {}
    for place, factor in enumerate(FACTORS):
        a, b = found[:, place], truth[:, place]
        if place in PRESENCE_FACTORS:
            result[factor.name] = ((a > 0) == (b > 0)).float().mean().item()
            continue
        error = a - b
        if place in _CIRCULAR:
            error = torch.remainder(error + 1, 2) - 1
        result[factor.name] = 1 - (error.square().mean() / b.var()).item()
    return {name: round(value, 4) for name, value in result.items()}


def write_scorer(
    path: Path,
    scorer: ScorerNetwork,
    numbers: dict[str, float],
    options: ScorerOptions,
    pictures: int,
) -> None:
    """The weights, and beside them a JSON file with the figures."""
    save_scorer(path, scorer, {"domain": "portraits", "licence": "Apache-2.0"})
    kinds = {f.name: "accuracy" if f.kind == "presence" else "R2" for f in FACTORS}
    notes = {
        "trained_on": f"{pictures} renders, {options.images} pictures seen, seed {options.seed}",
        "held_out": min(options.holdout, pictures // 8),
        "figures": {name: {kinds[name]: value} for name, value in numbers.items()},
    }
    write_whole(path.with_suffix(".json"), (json.dumps(notes, indent=1) + "\n").encode())
