"""A training of deformations on disk: one safetensors file, counters and options as metadata."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    WrongGeneratorError,
    read_tensors_and_metadata,
    write_tensors,
)
from torch import Tensor

from latentfu_builtin.deformations.basis import basis_from
from latentfu_builtin.deformations.layer import Convolution
from latentfu_builtin.deformations.training.options import TrainingOptions
from latentfu_builtin.deformations.training.trainer import Trainer

FORMAT = "latentfu-deformations-training-1"


def gather(trainer: Trainer) -> dict[str, Tensor]:
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


def save_training(path: Path, trainer: Trainer, method: str) -> None:
    """Write the whole state, or leave the old file as it is."""
    metadata = {
        "format": FORMAT,
        "method": method,
        "generator_id": trainer.convolution.generator.id,
        "layer": str(trainer.convolution.layer),
        "step": str(trainer.step),
        "options": trainer.options.to_json(),
    }
    write_tensors(path, gather(trainer), metadata)


def load_training(path: Path, convolution: Convolution) -> tuple[Trainer, str]:
    """The run as it was, and its method; raises BadInputError or WrongGeneratorError."""
    tensors, notes = read_tensors_and_metadata(path)
    if notes.get("format") != FORMAT:
        raise BadInputError(f"{path} is no training of deformations.")
    if notes["generator_id"] != convolution.generator.id:
        raise WrongGeneratorError(
            f"The training {path} is of another generator ({notes['generator_id'][:12]}) than "
            f"{convolution.generator.name}: give another --out."
        )
    if int(notes["layer"]) != convolution.layer:
        raise BadInputError(
            f"The training {path} is of layer {notes['layer']}: give another --out."
        )
    options = TrainingOptions(**json.loads(notes["options"]))
    device = convolution.generator.device
    found = {name: value.to(device) for name, value in tensors.items() if name[:6] == "basis."}
    trainer = Trainer(convolution, basis_from(found, convolution.weight.shape[-1]), options)
    restore(trainer, tensors)
    trainer.step = int(notes["step"])
    return trainer, notes["method"]


def restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of ``gather`` back."""
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
