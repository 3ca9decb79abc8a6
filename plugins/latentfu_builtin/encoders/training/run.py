"""A training run from the beginning, or from where it was interrupted, to the file.

The run on disk is one safetensors file with every tensor, the counters as metadata.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from latentfu import (
    BadInputError,
    CancelledError,
    Generator,
    Progress,
    WrongGeneratorError,
    between,
    read_tensors,
    write_tensors,
)
from torch import Tensor

from latentfu_builtin.encoders.encoder_header import read_encoder_header
from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.sources import LessonPool, LessonSource, open_outside_source
from latentfu_builtin.encoders.training.students import read_trunk
from latentfu_builtin.encoders.training.trainer import (
    EncoderTrainer,
    Outside,
    make_encoder_optimizer,
    measure_encoder,
)
from latentfu_builtin.inversion.coordinates import Spread
from latentfu_builtin.networks.training_state import (
    copy_tensors,
    gather_moments,
    name_tensors,
    pick_tensors,
    restore_moments,
)

_FILLING = 0.1
"""The part of the progress that is the filling of the pool."""
_SAY_EVERY = 15.0
_FORMAT = "latentfu-encoder-training-1"


@dataclass(frozen=True)
class EncoderOrder:
    """What is to be made: an encoder for ``generator`` in the file ``output``.

    ``pictures``, ``renderer``, ``pairs``: a folder, the name of a renderer that the generator
    learned from, or a cache of its pictures; at most one. ``trunk``: a file whose convolutions
    it begins with. ``checkpoint``: where the run is kept every ``minutes``, and gone on with.
    ``notes``: metadata of the file.
    """

    generator: Generator
    output: Path
    options: EncoderTrainingOptions
    pictures: Path | None = None
    renderer: str | None = None
    pairs: Path | None = None
    trunk: Path | None = None
    checkpoint: Path | None = None
    minutes: float = 2.0
    notes: Mapping[str, str] = field(default_factory=dict)


def train_encoder(
    order: EncoderOrder, progress: Progress, say: Callable[[str], None] = lambda text: None
) -> dict[str, float]:
    """Train, measure and write; gives the figures. Raises LatentFuError.

    An interrupted run goes on from its checkpoint, which is removed when the file is written.
    """
    if sum(source is not None for source in (order.pictures, order.renderer, order.pairs)) > 1:
        raise BadInputError("Give a folder of pictures, a renderer or pairs: only one of them.")
    trainer = _open_run(order)
    if trainer.step:
        say(f"Going on after {trainer.step} of {trainer.options.steps} steps.")
    went = _train(trainer, order, progress, say)
    numbers = measure_encoder(trainer)
    notes = {
        "domain": order.generator.domain,
        "generator": order.generator.name,
        "figures": json.dumps(numbers),
        "options": trainer.options.to_json(),
        **order.notes,
    }
    trainer.encoder.save(order.output, order.generator, notes)
    if order.checkpoint is not None:
        order.checkpoint.unlink(missing_ok=True)
    progress(1.0, "Done")
    return {**numbers, "seconds": round(went, 1)}


def _open_run(order: EncoderOrder) -> EncoderTrainer:
    """The interrupted run, or a new one."""

    def outside(spread: Spread, size: int) -> LessonSource | None:
        return open_outside_source(
            order.generator, spread, size,
            folder=order.pictures, renderer=order.renderer, pairs=order.pairs,
        )  # fmt: skip

    if order.checkpoint is not None and order.checkpoint.is_file():
        return _load_encoder_training(order.checkpoint, order.generator, outside)
    trunk = None if order.trunk is None else read_trunk(order.trunk)
    return EncoderTrainer.begin(order.generator, order.options, outside, trunk)


def _train(
    trainer: EncoderTrainer, order: EncoderOrder, progress: Progress, say: Callable[[str], None]
) -> float:
    """All steps that are left; gives the seconds. What stops it leaves a checkpoint."""
    begun = time.monotonic()
    filling, learning = between(progress, 0.0, _FILLING), between(progress, _FILLING, 1.0)
    wanted = trainer.options.pool
    pools = trainer.pools(lambda done: filling(done / wanted, "Rendering pictures"))
    try:
        _take_steps(trainer, pools, order, learning, say)
    except (CancelledError, KeyboardInterrupt):
        if order.checkpoint is not None:
            save_encoder_training(order.checkpoint, trainer)
        raise
    return time.monotonic() - begun


def _take_steps(
    trainer: EncoderTrainer,
    pools: list[tuple[LessonPool, int]],
    order: EncoderOrder,
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
        if _is_due(trainer):
            found = measure_encoder(trainer)
            say(f"{trainer.step}/{steps}  " + "  ".join(f"{k} {v:.4f}" for k, v in found.items()))
        now = time.monotonic()
        if now - said > _SAY_EVERY:
            said = now
            say(f"{trainer.step}/{steps}  loss {mean:.3f}  {now - begun:.0f} s")
        if order.checkpoint is not None and now - saved > 60.0 * order.minutes:
            saved = now
            save_encoder_training(order.checkpoint, trainer)
        progress(trainer.step / steps, f"Step {trainer.step} of {steps}, loss {mean:.3f}")


def _is_due(trainer: EncoderTrainer) -> bool:
    """Whether the last step passed a number of pictures after which figures are wanted."""
    every, batch = trainer.options.measure, trainer.options.batch
    return bool(every) and trainer.step * batch // every > (trainer.step - 1) * batch // every


def save_encoder_training(path: Path, trainer: EncoderTrainer) -> None:
    """Write the run's state, or leave the old file as it is."""
    tensors: dict[str, Tensor] = {"random": trainer.random.get_state()}
    moments = gather_moments(trainer.adam, trainer.encoder.parameters())
    tensors |= name_tensors(trainer.encoder.state_dict(), "encoder")
    tensors |= name_tensors(moments, "adam")
    metadata = {
        "format": _FORMAT,
        "generator_id": trainer.generator.id,
        "config": trainer.encoder.describe(),
        "options": trainer.options.to_json(),
        "counters": json.dumps({"step": trainer.step, "taken": trainer.encoder.taken}),
    }
    write_tensors(path, copy_tensors(tensors), metadata)


def _load_encoder_training(
    path: Path,
    generator: Generator,
    outside: Outside,
) -> EncoderTrainer:
    """The run as it was; its pool of pictures is filled anew.

    Raises BadInputError when the file is not a checkpoint, WrongGeneratorError when it is one of
    another generator.
    """
    header = read_encoder_header(path)
    if header.get("format") != _FORMAT:
        raise BadInputError(f"{path} is not a checkpoint of an encoder's training: choose another.")
    if header.get("generator_id") != generator.id:
        raise WrongGeneratorError(
            f"{path} is a run for other weights than those of {generator.name}: "
            f"give another --checkpoint, or remove it."
        )
    options = EncoderTrainingOptions.from_json(header["options"])
    trainer = EncoderTrainer.begin(generator, options, outside, sizes=header["config"])
    tensors = read_tensors(path)
    try:
        counters = json.loads(header["counters"])
        trainer.encoder.load_state_dict(pick_tensors(tensors, "encoder"))
        trainer.encoder.taken = bool(counters["taken"])
        trainer.adam = make_encoder_optimizer(trainer.encoder, trainer.options)
        moments = pick_tensors(tensors, "adam")
        restore_moments(trainer.adam, trainer.encoder.parameters(), moments)
        trainer.step = int(counters["step"])
        trainer.random.set_state(tensors["random"])
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(f"The checkpoint {path} is damaged: remove it.") from error
    return trainer
