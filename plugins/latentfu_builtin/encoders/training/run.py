"""A training run from the beginning, or from where it was interrupted, to the file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from latentfu import BadInputError, CancelledError, Generator, Progress, between

from latentfu_builtin.encoders.files import save_encoder
from latentfu_builtin.encoders.training.beginning import trunk_tensors
from latentfu_builtin.encoders.training.checkpoint import load_checkpoint, save_checkpoint
from latentfu_builtin.encoders.training.figures import figures
from latentfu_builtin.encoders.training.options import TrainingOptions
from latentfu_builtin.encoders.training.pool import Pool
from latentfu_builtin.encoders.training.sources import Lessons, outside_source
from latentfu_builtin.encoders.training.trainer import Trainer
from latentfu_builtin.inversion.coordinates import Spread

FILLING = 0.1
"""The part of the progress that is the filling of the pool."""
SAY_EVERY = 15.0


@dataclass(frozen=True)
class Order:
    """What is to be made: an encoder for ``generator`` in the file ``output``.

    ``pictures``, ``renderer``, ``pairs``: a folder, the name of a renderer that the generator
    learned from, or a cache of its pictures; at most one. ``trunk``: a file whose convolutions
    it begins with. ``checkpoint``: where the run is kept every ``minutes``, and gone on with.
    ``notes``: metadata of the file.
    """

    generator: Generator
    output: Path
    options: TrainingOptions
    pictures: Path | None = None
    renderer: str | None = None
    pairs: Path | None = None
    trunk: Path | None = None
    checkpoint: Path | None = None
    minutes: float = 2.0
    notes: Mapping[str, str] = field(default_factory=dict)


def train_encoder(
    order: Order, progress: Progress, say: Callable[[str], None] = lambda text: None
) -> dict[str, float]:
    """Train, measure and write; gives the figures. Raises LatentFuError.

    An interrupted run goes on from its checkpoint, which is removed when the file is written.
    """
    if sum(source is not None for source in (order.pictures, order.renderer, order.pairs)) > 1:
        raise BadInputError("Give a folder of pictures, a renderer or pairs: only one of them.")
    trainer = opened(order)
    if trainer.step:
        say(f"Going on after {trainer.step} of {trainer.options.steps} steps.")
    went = descend(trainer, order, progress, say)
    numbers = figures(trainer)
    notes = {
        "domain": order.generator.domain,
        "generator": order.generator.name,
        "figures": json.dumps(numbers),
        "options": trainer.options.to_json(),
        **order.notes,
    }
    save_encoder(order.output, trainer.encoder, order.generator.id, notes)
    if order.checkpoint is not None:
        order.checkpoint.unlink(missing_ok=True)
    progress(1.0, "Done")
    return {**numbers, "seconds": round(went, 1)}


def opened(order: Order) -> Trainer:
    """The interrupted run, or a new one."""

    def outside(spread: Spread, size: int) -> Lessons | None:
        return outside_source(
            order.generator, spread, size,
            folder=order.pictures, renderer=order.renderer, pairs=order.pairs,
        )  # fmt: skip

    if order.checkpoint is not None and order.checkpoint.is_file():
        return load_checkpoint(order.checkpoint, order.generator, outside)
    trunk = None if order.trunk is None else trunk_tensors(order.trunk)
    return Trainer.begin(order.generator, order.options, outside, trunk)


def descend(
    trainer: Trainer, order: Order, progress: Progress, say: Callable[[str], None]
) -> float:
    """All steps that are left; gives the seconds. What stops it leaves a checkpoint."""
    begun = time.monotonic()
    filling, learning = between(progress, 0.0, FILLING), between(progress, FILLING, 1.0)
    wanted = trainer.options.pool
    pools = trainer.pools(lambda done: filling(done / wanted, "Rendering pictures"))
    try:
        all_steps(trainer, pools, order, learning, say)
    except (CancelledError, KeyboardInterrupt):
        if order.checkpoint is not None:
            save_checkpoint(order.checkpoint, trainer)
        raise
    return time.monotonic() - begun


def all_steps(
    trainer: Trainer,
    pools: list[tuple[Pool, int]],
    order: Order,
    progress: Progress,
    say: Callable[[str], None],
) -> None:
    """Steps until the end; raises BadInputError when they diverge."""
    begun = saved = said = time.monotonic()
    steps, mean = trainer.options.steps, 0.0
    while trainer.step < steps:
        loss = trainer.learn(pools)
        if not math.isfinite(loss):
            raise BadInputError("The training gave no numbers: try a smaller --set rate=....")
        mean = loss if mean == 0.0 else 0.98 * mean + 0.02 * loss
        now = time.monotonic()
        if now - said > SAY_EVERY:
            said = now
            say(f"{trainer.step}/{steps}  loss {mean:.3f}  {now - begun:.0f} s")
        if order.checkpoint is not None and now - saved > 60.0 * order.minutes:
            saved = now
            save_checkpoint(order.checkpoint, trainer)
        progress(trainer.step / steps, f"Step {trainer.step} of {steps}, loss {mean:.3f}")
