"""A training of deformations from its beginning, or from where it stopped, to the files."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from latentfu import BadInputError, CancelledError, Generator, Progress, between, random_latents

from latentfu_builtin.deformations.basis import Basis, VectorBasis, svd_of
from latentfu_builtin.deformations.calibrate import Bench
from latentfu_builtin.deformations.deformation import Deformation
from latentfu_builtin.deformations.discover import Search, directions, distance_of, measured
from latentfu_builtin.deformations.foreign import as_tensor, eigenvectors, ours, units
from latentfu_builtin.deformations.layer import Convolution, check_count
from latentfu_builtin.deformations.training.checkpoint import load_training, save_training
from latentfu_builtin.deformations.training.options import TrainingOptions
from latentfu_builtin.deformations.training.trainer import Figures, Trainer

STATE = "training.safetensors"
NAMES = {"hessian": "hybrid", "svd": "optimised"}
"""What the paper calls the results in either basis."""


@dataclass(frozen=True)
class Order:
    """What is to be trained and where it is kept.

    ``method``: the basis, "svd" or "hessian"; ``vectors``: a file of eigenvectors for it, in the
    paper's format. ``samples``, ``distance``: as in a search, for the Hessian and for measuring.
    """

    generator: Generator
    layer: int
    method: str
    out: Path
    options: TrainingOptions
    vectors: Path | None = None
    samples: int = 16
    distance: str = ""
    minutes: float = 2.0
    sheet_steps: int = 1000


def train(
    order: Order,
    progress: Progress,
    say: Callable[[str], None],
    sheet: Callable[[list[Deformation], Path], None],
) -> list[Deformation]:
    """Train, and give the deformations, scaled and measured. Raises LatentFuError.

    What stops it leaves a checkpoint in ``order.out``, from which the same order goes on; it is
    kept when the training is done, so that more steps can be asked for. ``sheet(found, path)``
    draws samples on the way.
    """
    trainer = opened(order, between(progress, 0.0, 0.1))
    if trainer.step:
        say(f"Going on after {trainer.step} of {order.options.steps} steps.")
    try:
        descend(trainer, order, between(progress, 0.1, 0.8), say, sheet)
    except (CancelledError, KeyboardInterrupt):
        save_training(order.out / STATE, trainer, order.method)
        raise
    save_training(order.out / STATE, trainer, order.method)
    search = the_search(order, len(trainer.basis))
    found = trainer.directions().detach()
    name = NAMES[order.method]
    return measured(search, found, between(progress, 0.8, 1.0), name)


def the_search(order: Order, count: int) -> Search:
    """The search for the basis."""
    return Search(
        order.generator, order.layer, order.method, count,
        order.samples, order.options.seed, order.distance,
    )  # fmt: skip


def opened(order: Order, progress: Progress) -> Trainer:
    """The interrupted training with the steps now asked for, or a new one."""
    if order.method not in NAMES:
        raise BadInputError(f"There is no basis {order.method!r}: svd or hessian.")
    convolution = Convolution(order.generator, order.layer)
    path = order.out / STATE
    if path.is_file():
        trainer, method = load_training(path, convolution)
        if method != order.method or trainer.options.count != order.options.count:
            raise BadInputError(
                f"{path} is of {trainer.options.count} directions in the {method} basis: "
                "give another --out."
            )
        refuse_other(path, trainer.options, order.options)
        return trainer
    basis = basis_of(order, convolution, progress)
    options = order.options.filled(order.method, clear_norm(order, convolution, basis))
    return Trainer(convolution, basis, options)


def refuse_other(path: Path, begun: TrainingOptions, asked: TrainingOptions) -> None:
    """BadInputError where other options are asked for than a training was begun with.

    Those that are 0 are whatever the training found fit; ``steps`` may be others.
    """
    for name, value in vars(asked).items():
        if name != "steps" and value and value != getattr(begun, name):
            raise BadInputError(
                f"{path} was begun with {name} = {getattr(begun, name)}, not {value}: give the "
                "options that it was begun with, or another --out."
            )


def basis_of(order: Order, convolution: Convolution, progress: Progress) -> Basis:
    """The basis: from a file, or found now."""
    if order.vectors is not None:
        rows = as_tensor(order.vectors)
        found = eigenvectors(order.vectors, rows, convolution.layer - 1).shifts
        if found.shape[1:] != convolution.weight.shape:
            raise BadInputError(
                f"{order.vectors} has vectors of {list(found.shape[1:])}; layer "
                f"{convolution.layer} has {list(convolution.weight.shape)}."
            )
        kernels = torch.stack([ours(kernel, convolution.layer) for kernel in found])
        return VectorBasis(units(kernels).to(order.generator.device))
    count = order.options.basis
    if order.method == "svd":
        check_count(count or 1, convolution.rank(), f"layer {order.layer}")
        return svd_of(convolution.weight, count or None)
    return VectorBasis(directions(the_search(order, count or order.options.count), progress))


def clear_norm(order: Order, convolution: Convolution, basis: Basis) -> float:
    """The norm at which a few random mixtures of the basis change pictures clearly."""
    latents = random_latents(order.generator, 6, order.options.seed + 17, psi=0.8)
    bench = Bench(convolution, latents, distance_of(order.generator, order.distance))
    random = torch.Generator().manual_seed(order.options.seed)
    norms = []
    for _ in range(3):
        row = torch.randn(1, len(basis), generator=random).to(convolution.weight)
        mixture = basis.combined(row)[0]
        norms.append(float(torch.linalg.vector_norm(bench.calibrated(mixture))))
    return sorted(norms)[1]


def descend(
    trainer: Trainer,
    order: Order,
    progress: Progress,
    say: Callable[[str], None],
    sheet: Callable[[list[Deformation], Path], None],
) -> None:
    """All steps that are left, with checkpoints, figures and sheets on the way."""
    saved = time.monotonic()
    steps, log, seen = order.options.steps, order.out / "log.jsonl", []
    order.out.mkdir(parents=True, exist_ok=True)
    while trainer.step < steps:
        figures = trainer.learn()
        if not math.isfinite(figures.loss):
            raise BadInputError("The training gave no numbers: try a smaller --set rate=....")
        seen.append(figures)
        progress(trainer.step / steps, f"Step {trainer.step} of {steps}, loss {figures.loss:.2f}")
        if trainer.step % order.sheet_steps == 0 or trainer.step == steps:
            line = told(trainer, seen)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            say("  ".join(f"{key} {value:.4g}" for key, value in line.items()))
            seen.clear()
            sheet(samples_of(trainer, order), order.out / f"samples-{trainer.step:06}.png")
        if time.monotonic() - saved > 60 * order.minutes:
            saved = time.monotonic()
            save_training(order.out / STATE, trainer, order.method)


def told(trainer: Trainer, seen: list[Figures]) -> dict[str, float]:
    """The mean figures since the last line, and the accuracy on fresh samples."""
    count = max(len(seen), 1)
    return {
        "step": trainer.step,
        "loss": sum(one.loss for one in seen) / count,
        "direction_loss": sum(one.which for one in seen) / count,
        "shift_loss": sum(one.how_much for one in seen) / count,
        "right": sum(one.right for one in seen) / count,
        "accuracy": trainer.accuracy(),
    }


def samples_of(trainer: Trainer, order: Order, most: int = 8) -> list[Deformation]:
    """The first few directions at the largest shift of the training."""
    convolution, name = trainer.convolution, NAMES[order.method]
    shifts = (
        trainer.directions(torch.arange(trainer.options.count)[:most]).detach()
        * trainer.options.shift_scale
    )
    return [
        Deformation(
            shift=shift.cpu().numpy(),
            parameter=convolution.parameter,
            layer=convolution.layer,
            name=f"{name}-{convolution.layer}-{place}",
            generator_id=convolution.generator.id,
        )
        for place, shift in enumerate(shifts)
    ]
