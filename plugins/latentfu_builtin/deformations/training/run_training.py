"""A training of deformations from its beginning, or from where it stopped, to the files."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    CancelledError,
    Deformation,
    Generator,
    Progress,
    WrongGeneratorError,
    between,
    random_latents,
    read_tensors_and_metadata,
    write_tensors,
)
from torch import Tensor

from latentfu_builtin.deformations.convolution import (
    Basis,
    ShiftedConvolution,
    VectorBasis,
    check_direction_count,
    decompose_weight,
    rebuild_basis,
)
from latentfu_builtin.deformations.discover import measure_deformations, search_directions
from latentfu_builtin.deformations.measurement import StrengthCalibration
from latentfu_builtin.deformations.read_published import (
    from_published_layout,
    normalize_shifts,
    read_eigenvectors,
)
from latentfu_builtin.deformations.search import DeformationSearch, choose_picture_distance
from latentfu_builtin.deformations.training.options import DeformationTrainingOptions
from latentfu_builtin.deformations.training.trainer import DeformationTrainer, StepFigures

STATE_FILE = "training.safetensors"
_NAMES = {"hessian": "hybrid", "svd": "optimized"}
"""What the paper calls the results in either basis."""
_FORMAT = "latentfu-deformations-training-1"


@dataclass(frozen=True)
class TrainingOrder:
    """What is to be trained and where it is kept.

    ``method``: the basis, "svd" or "hessian"; ``vectors``: a file of eigenvectors for it, in the
    paper's format. ``samples``, ``distance``: as in a search, for the Hessian and for measuring.
    """

    generator: Generator
    layer: int
    method: str
    out: Path
    options: DeformationTrainingOptions
    vectors: Path | None = None
    samples: int = 16
    distance: str = ""
    minutes: float = 2.0
    sheet_steps: int = 1000


def train_deformations(
    order: TrainingOrder,
    progress: Progress,
    say: Callable[[str], None],
    sheet: Callable[[list[Deformation], Path], None],
) -> list[Deformation]:
    """Train, and give the deformations, scaled and measured. Raises LatentFuError.

    What stops it leaves a checkpoint in ``order.out``, from which the same order goes on; it is
    kept when the training is done, so that more steps can be asked for. ``sheet(found, path)``
    draws samples on the way.
    """
    trainer = _open_training(order, between(progress, 0.0, 0.1))
    if trainer.step:
        say(f"Going on after {trainer.step} of {order.options.steps} steps.")
    try:
        _run_steps(trainer, order, between(progress, 0.1, 0.8), say, sheet)
    except (CancelledError, KeyboardInterrupt):
        _save_training(order.out / STATE_FILE, trainer, order.method)
        raise
    _save_training(order.out / STATE_FILE, trainer, order.method)
    search = _search_of(order, len(trainer.basis))
    found = trainer.unit_directions().detach()
    name = _NAMES[order.method]
    return measure_deformations(search, found, between(progress, 0.8, 1.0), name)


def _search_of(order: TrainingOrder, count: int) -> DeformationSearch:
    """The search for the basis."""
    return DeformationSearch(
        order.generator, order.layer, order.method, count,
        order.samples, order.options.seed, order.distance,
    )  # fmt: skip


def _open_training(order: TrainingOrder, progress: Progress) -> DeformationTrainer:
    """The interrupted training with the steps now asked for, or a new one."""
    if order.method not in _NAMES:
        raise BadInputError(f"There is no basis {order.method!r}: svd or hessian.")
    convolution = ShiftedConvolution(order.generator, order.layer)
    path = order.out / STATE_FILE
    if path.is_file():
        trainer, method = _load_training(path, convolution)
        if method != order.method or trainer.options.count != order.options.count:
            raise BadInputError(
                f"{path} is of {trainer.options.count} directions in the {method} basis: "
                "give another --out."
            )
        _refuse_other_options(path, trainer.options, order.options)
        return trainer
    basis = _make_basis(order, convolution, progress)
    options = order.options.fill(order.method, _measure_clear_norm(order, convolution, basis))
    return DeformationTrainer(convolution, basis, options)


def _refuse_other_options(
    path: Path, begun: DeformationTrainingOptions, asked: DeformationTrainingOptions
) -> None:
    """BadInputError where other options are asked for than a training was begun with.

    Those that are 0 are whatever the training found fit; ``steps`` may be others.
    """
    for name, value in vars(asked).items():
        if name != "steps" and value and value != getattr(begun, name):
            raise BadInputError(
                f"{path} was begun with {name} = {getattr(begun, name)}, not {value}: give the "
                "options that it was begun with, or another --out."
            )


def _make_basis(order: TrainingOrder, convolution: ShiftedConvolution, progress: Progress) -> Basis:
    """The basis: from a file, or found now."""
    if order.vectors is not None:
        found = read_eigenvectors(order.vectors, convolution.layer - 1).shifts
        if found.shape[1:] != convolution.weight.shape:
            raise BadInputError(
                f"{order.vectors} has vectors of {list(found.shape[1:])}; layer "
                f"{convolution.layer} has {list(convolution.weight.shape)}."
            )
        kernels = torch.stack(
            [from_published_layout(kernel, convolution.layer) for kernel in found]
        )
        return VectorBasis(normalize_shifts(kernels).to(order.generator.device))
    count = order.options.basis
    if order.method == "svd":
        check_direction_count(count or 1, convolution.rank(), f"layer {order.layer}")
        return decompose_weight(convolution.weight, count or None)
    return VectorBasis(search_directions(_search_of(order, count or order.options.count), progress))


def _measure_clear_norm(
    order: TrainingOrder, convolution: ShiftedConvolution, basis: Basis
) -> float:
    """The norm at which a few random mixtures of the basis change pictures clearly."""
    latents = random_latents(order.generator, 6, order.options.seed + 17, psi=0.8)
    bench = StrengthCalibration(
        convolution, latents, choose_picture_distance(order.generator, order.distance)
    )
    random = torch.Generator().manual_seed(order.options.seed)
    norms = []
    for _ in range(3):
        row = torch.randn(1, len(basis), generator=random).to(convolution.weight)
        mixture = basis.combine(row)[0]
        norms.append(float(torch.linalg.vector_norm(bench.calibrate(mixture))))
    return sorted(norms)[1]


def _run_steps(
    trainer: DeformationTrainer,
    order: TrainingOrder,
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
            line = _summarize_figures(trainer, seen)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            say("  ".join(f"{key} {value:.4g}" for key, value in line.items()))
            seen.clear()
            sheet(
                _sample_deformations(trainer, order), order.out / f"samples-{trainer.step:06}.png"
            )
        if time.monotonic() - saved > 60 * order.minutes:
            saved = time.monotonic()
            _save_training(order.out / STATE_FILE, trainer, order.method)


def _summarize_figures(trainer: DeformationTrainer, seen: list[StepFigures]) -> dict[str, float]:
    """The mean figures since the last line, and the accuracy on fresh samples."""
    count = max(len(seen), 1)
    return {
        "step": trainer.step,
        "loss": sum(one.loss for one in seen) / count,
        "direction_loss": sum(one.which for one in seen) / count,
        "shift_loss": sum(one.how_much for one in seen) / count,
        "right": sum(one.right for one in seen) / count,
        "accuracy": trainer.measure_accuracy(),
    }


def _sample_deformations(
    trainer: DeformationTrainer, order: TrainingOrder, most: int = 8
) -> list[Deformation]:
    """The first few directions at the largest shift of the training."""
    convolution, name = trainer.convolution, _NAMES[order.method]
    shifts = (
        trainer.unit_directions(torch.arange(trainer.options.count)[:most]).detach()
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


def _gather_tensors(trainer: DeformationTrainer) -> dict[str, Tensor]:
    """Every tensor that the rest of the run depends on."""
    tensors: dict[str, Tensor] = {
        **trainer.basis.tensors(),
        "rows": trainer.rows,
        "random": trainer.random.get_state(),
    }
    tensors |= {f"predictor.{name}": v for name, v in trainer.predictor.state_dict().items()}
    for name, adam in (("adam", trainer.adam), ("predictor_adam", trainer.predictor_adam)):
        for place, parameter in enumerate(adam.param_groups[0]["params"]):
            for key, value in adam.state.get(parameter, {}).items():
                tensors[f"{name}.{place}.{key}"] = value
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _save_training(path: Path, trainer: DeformationTrainer, method: str) -> None:
    """Write the whole state, or leave the old file as it is."""
    metadata = {
        "format": _FORMAT,
        "method": method,
        "generator_id": trainer.convolution.generator.id,
        "layer": str(trainer.convolution.layer),
        "step": str(trainer.step),
        "options": trainer.options.to_json(),
    }
    write_tensors(path, _gather_tensors(trainer), metadata)


def _load_training(path: Path, convolution: ShiftedConvolution) -> tuple[DeformationTrainer, str]:
    """The run as it was, and its method; raises BadInputError or WrongGeneratorError."""
    tensors, notes = read_tensors_and_metadata(path)
    if notes.get("format") != _FORMAT:
        raise BadInputError(f"{path} is not a training of deformations.")
    if notes["generator_id"] != convolution.generator.id:
        raise WrongGeneratorError(
            f"The training {path} is of another generator ({notes['generator_id'][:12]}) than "
            f"{convolution.generator.name}: give another --out."
        )
    if int(notes["layer"]) != convolution.layer:
        raise BadInputError(
            f"The training {path} is of layer {notes['layer']}: give another --out."
        )
    options = DeformationTrainingOptions(**json.loads(notes["options"]))
    device = convolution.generator.device
    found = {name: value.to(device) for name, value in tensors.items() if name[:6] == "basis."}
    trainer = DeformationTrainer(
        convolution, rebuild_basis(found, convolution.weight.shape[-1]), options
    )
    _restore_tensors(trainer, tensors)
    trainer.step = int(notes["step"])
    return trainer, notes["method"]


def _restore_tensors(trainer: DeformationTrainer, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of ``_gather_tensors`` back."""
    with torch.no_grad():
        trainer.rows.copy_(tensors["rows"])
    trainer.random.set_state(tensors["random"])
    found = {n.removeprefix("predictor."): v for n, v in tensors.items() if n[:10] == "predictor."}
    trainer.predictor.load_state_dict(found)
    for name, adam in (("adam", trainer.adam), ("predictor_adam", trainer.predictor_adam)):
        for place, parameter in enumerate(adam.param_groups[0]["params"]):
            kept = {
                key: tensors[f"{name}.{place}.{key}"].to(parameter.device)
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{name}.{place}.{key}" in tensors
            }
            if kept:
                adam.state[parameter] = {**kept, "step": kept["step"].cpu()}
