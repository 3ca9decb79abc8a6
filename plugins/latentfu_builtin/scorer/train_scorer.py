"""Training the scorer on rendered pairs, and measuring it factor by factor."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, mixed_precision, write_whole
from torch import Tensor

from latentfu_builtin.encoders.training.photographs import change_into_photographs
from latentfu_builtin.scorer.augment import change_mildly, choose_some
from latentfu_builtin.scorer.factor_table import FactorTable
from latentfu_builtin.scorer.network import ScorerNetwork, save_scorer
from latentfu_builtin.stylegan.training.pairs import PairCache


@dataclass(frozen=True)
class ScorerOptions:
    """How the scorer is trained; amounts are counted in pictures.

    changed: the share of pictures that are blurred, tinted and moved; photograph: the share that
    look as photographs come (light, grain, JPEG, covers, other backgrounds); weights: how much more
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
    photograph: float = 0.0
    weights: tuple[tuple[str, float], ...] = ()
    compiled: bool = False


def weigh_factors(table: FactorTable, weights: tuple[tuple[str, float], ...]) -> Tensor:
    """How much each factor's error counts, [F]; BadInputError for a name that is not a factor."""
    result = torch.ones(len(table.names))
    for name, weight in weights:
        if name not in table.names:
            raise BadInputError(f"There is no factor {name}; there are {', '.join(table.names)}.")
        result[table.names.index(name)] = weight
    return result


class ScorerLoss:
    """Squared error for values and hues, cross entropy for presence.

    ``weights``: how much each factor counts, [F].
    """

    def __init__(self, table: FactorTable, weights: Tensor) -> None:
        self.table, self._weights = table, weights
        self._variances = table.measure_variances()

    def __call__(self, numbers: Tensor, factors: Tensor) -> Tensor:
        """numbers as `ScorerNetwork.raw` gives them, factors [N, F] -> one number."""
        table = self.table
        plain = (numbers[:, table.plain] - factors[:, table.plain]).square() / self._variances
        there = (factors[:, table.presence] > 0).float()
        logits = numbers[:, table.presence]
        presence = F.binary_cross_entropy_with_logits(logits, there, reduction="none")
        angle = factors[:, table.circular] * math.pi
        sines = numbers[:, len(table.names) :]
        cosines = numbers[:, table.circular]
        round_ = (cosines - angle.cos()).square() + (sines - angle.sin()).square()
        parts = ((plain, table.plain), (presence, table.presence), (round_, table.circular))
        return torch.stack([(p @ self._weights[list(at)]).mean() for p, at in parts]).sum()


def train_scorer(
    caches: Sequence[PairCache],
    options: ScorerOptions,
    say: Callable[[str], None],
    start: ScorerNetwork,
) -> tuple[ScorerNetwork, dict[str, float]]:
    """`start` trained on the caches' pairs, and its figures on those of the first held out.

    Raises:
        BadInputError: the pairs were drawn from another number of factors.
    """
    table = start.table
    _check_factors(caches, table)
    torch.manual_seed(options.seed)
    random = torch.Generator().manual_seed(options.seed)
    scorer = start.to(memory_format=torch.channels_last)
    scorer.train().requires_grad_(True)
    adam = torch.optim.AdamW(scorer.parameters(), lr=options.lr, weight_decay=0.02)
    raw = torch.compile(scorer.raw) if options.compiled else scorer.raw
    loss = ScorerLoss(table, weigh_factors(table, options.weights))
    steps = max(1, options.images // options.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(adam, options.lr, total_steps=steps, pct_start=0.1)
    held = [min(options.holdout, caches[0].count // 8), *(0 for _ in caches[1:])]
    shares = torch.tensor([float(cache.count) for cache in caches])
    begun = said = time.monotonic()
    for step in range(steps):
        place = int(torch.multinomial(shares, 1, generator=random))
        cache = caches[place]
        rows = torch.randint(held[place], cache.count, (options.batch,), generator=random)
        chosen = rows.sort().values.numpy()
        images = _change_pictures(cache.rows(chosen).images.contiguous(), options, random)
        with mixed_precision("cpu", options.bf16):
            numbers = raw(images)
        value = loss(numbers.float(), table.from_normal(cache.normals(chosen)))
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        adam.step()
        plan.step()
        if time.monotonic() - said > 10:
            said = time.monotonic()
            speed = (step + 1) * options.batch / (said - begun)
            say(f"{step + 1}/{steps}  loss {value.item():.3f}  {speed:.0f} img/s")
    scorer.eval().requires_grad_(False)
    return scorer, _measure_scorer(scorer, caches[0], held[0])


def _check_factors(caches: Sequence[PairCache], table: FactorTable) -> None:
    for cache in caches:
        if cache.factor_count != len(table.names):
            raise BadInputError(
                f"These pairs were drawn from {cache.factor_count} factors and {table.renderer} "
                f"has {len(table.names)}: name the renderer that drew them."
            )


def _change_pictures(images: Tensor, options: ScorerOptions, random: torch.Generator) -> Tensor:
    """Pictures [N, 3, S, S] as the scorer may have to read them."""
    images = torch.where(
        choose_some(images, options.changed, random), change_mildly(images, random), images
    )
    if options.photograph:
        images = change_into_photographs(images, options.photograph, random)
    return images.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _measure_scorer(scorer: ScorerNetwork, cache: PairCache, count: int) -> dict[str, float]:
    """R2 of each continuous factor, accuracy of each presence factor, on held-out renders."""
    parts = [
        scorer(cache.rows(slice(i, min(i + 64, count))).images.contiguous())
        for i in range(0, count, 64)
    ]
    truth = scorer.table.from_normal(cache.normals(slice(0, count)))
    return summarize_figures(torch.cat(parts), truth, scorer.table)


def summarize_figures(found: Tensor, truth: Tensor, table: FactorTable) -> dict[str, float]:
    """The figures by factor, from values [N, F] found and true."""
    result: dict[str, float] = {}
    for place, name in enumerate(table.names):
        a, b = found[:, place], truth[:, place]
        if place in table.presence:
            result[name] = ((a > 0) == (b > 0)).float().mean().item()
            continue
        error = a - b
        if place in table.circular:
            error = torch.remainder(error + 1, 2) - 1
        result[name] = 1 - (error.square().mean() / b.var()).item()
    return {name: round(value, 4) for name, value in result.items()}


def write_scorer(
    path: Path,
    scorer: ScorerNetwork,
    numbers: dict[str, float],
    options: ScorerOptions,
    pictures: int,
) -> None:
    """The weights, and beside them a JSON file with the figures."""
    table = scorer.table
    save_scorer(path, scorer, {"domain": table.renderer, "licence": "Apache-2.0"})
    there = {table.names[place] for place in table.presence}
    kinds = {name: "accuracy" if name in there else "R2" for name in table.names}
    notes = {
        "trained_on": f"{pictures} renders, {options.images} pictures seen, seed {options.seed}",
        "held_out": min(options.holdout, pictures // 8),
        "figures": {name: {kinds[name]: value} for name, value in numbers.items()},
    }
    write_whole(path.with_suffix(".json"), (json.dumps(notes, indent=1) + "\n").encode())
