"""A run on disk: one safetensors file with every tensor, the counters as metadata."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    Generator,
    WrongGeneratorError,
    read_tensors,
    write_tensors,
)
from torch import Tensor

from latentfu_builtin.encoders.header import read_header
from latentfu_builtin.encoders.training.options import TrainingOptions
from latentfu_builtin.encoders.training.trainer import Outside, Trainer, optimiser
from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig

FORMAT = "latentfu-encoder-training-1"


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write the run's state, or leave the old file as it is."""
    tensors: dict[str, Tensor] = {"random": trainer.random.get_state()}
    for name, value in trainer.encoder.state_dict().items():
        tensors[f"encoder.{name}"] = value
    for place, parameter in enumerate(trainer.encoder.parameters()):
        for key, value in trainer.adam.state.get(parameter, {}).items():
            tensors[f"adam.{place}.{key}"] = value
    metadata = {
        "format": FORMAT,
        "generator_id": trainer.generator.id,
        "config": trainer.encoder.config.to_json(),
        "options": trainer.options.to_json(),
        "counters": json.dumps({"step": trainer.step, "taken": trainer.encoder.taken}),
    }
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_tensors(path, whole, metadata)


def load_checkpoint(
    path: Path,
    generator: Generator,
    outside: Outside,
) -> Trainer:
    """The run as it was; its pool of pictures is filled anew.

    Raises BadInputError when the file is no checkpoint, WrongGeneratorError when it is one of
    another generator.
    """
    header = read_header(path)
    if header.get("format") != FORMAT:
        raise BadInputError(f"{path} is no checkpoint of an encoder's training: choose another.")
    if header.get("generator_id") != generator.id:
        raise WrongGeneratorError(
            f"{path} is a run for other weights than those of {generator.name}: "
            f"give another --checkpoint, or remove it."
        )
    options = TrainingOptions.from_json(header["options"])
    config = EncoderConfig.from_json(header["config"])
    trainer = Trainer.begin(generator, options, outside, config=config)
    tensors = read_tensors(path)
    try:
        counters = json.loads(header["counters"])
        trainer.encoder.load_state_dict(part(tensors, "encoder."))
        trainer.encoder.taken = bool(counters["taken"])
        trainer.adam = optimiser(trainer.encoder, trainer.options)
        restore_adam(trainer, part(tensors, "adam."))
        trainer.step = int(counters["step"])
        trainer.random.set_state(tensors["random"])
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(f"The checkpoint {path} is damaged: remove it.") from error
    return trainer


def restore_adam(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    """Put the optimiser's moments back."""
    for place, parameter in enumerate(trainer.encoder.parameters()):
        state = part(tensors, f"{place}.")
        if state:
            trainer.adam.state[parameter] = {
                key: value if key == "step" else torch.empty_like(parameter).copy_(value)
                for key, value in state.items()
            }


def part(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    """The tensors whose name begins with ``start``, without it."""
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}
