"""An interrupted training of a conditional mapping on disk: one safetensors file."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from latentfu import BadInputError, StorageError, read_tensors_and_metadata, write_tensors
from torch import nn

from latentfu_builtin.conditional_mapping.train_mapping import ConditionalTrainer
from latentfu_builtin.networks.training_state import (
    copy_tensors,
    gather_moments,
    name_tensors,
    pick_tensors,
    restore_moments,
)

_FORMAT = "latentfu-conditional-mapping-training-1"


def save_mapping_training(path: Path, trainer: ConditionalTrainer) -> None:
    """Write the run's state, or leave the old file as it is."""
    tensors = {"random": trainer.random.get_state()}
    for name, network, adam in _list_parts(trainer):
        tensors |= name_tensors(network.state_dict(), name)
        tensors |= name_tensors(gather_moments(adam, network.parameters()), f"{name}_adam")
    write_tensors(path, copy_tensors(tensors), {**_describe(trainer), "step": str(trainer.step)})


def restore_mapping_training(path: Path, trainer: ConditionalTrainer) -> None:
    """Put a run that has just begun where the file left it; its pool is filled anew.

    Raises:
        BadInputError: The file is none, is damaged, or is of another run: other weights, options,
            scorer or attributes.
    """
    try:
        tensors, metadata = read_tensors_and_metadata(path)
    except (BadInputError, StorageError) as error:
        raise BadInputError(f"The checkpoint {path} cannot be read: remove it.") from error
    for name, wanted in _describe(trainer).items():
        if metadata.get(name) != wanted:
            raise BadInputError(
                f"{path} is of an unfinished run with other {name.replace('_', ' ')}: train as "
                f"before to go on with it, give another --checkpoint, or remove it."
            )
    try:
        for name, network, adam in _list_parts(trainer):
            network.load_state_dict(pick_tensors(tensors, name))
            restore_moments(adam, network.parameters(), pick_tensors(tensors, f"{name}_adam"))
        trainer.random.set_state(tensors["random"])
        trainer.step = int(metadata["step"])
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(f"The checkpoint {path} is damaged: remove it.") from error


def _list_parts(
    trainer: ConditionalTrainer,
) -> list[tuple[str, nn.Module, torch.optim.Optimizer]]:
    """Each network of a run with its name and what moves it."""
    return [
        ("mapping", trainer.mapping, trainer.adam),
        ("judge", trainer.judge, trainer.judge_adam),
    ]


def _describe(trainer: ConditionalTrainer) -> dict[str, str]:
    """What must be the same for a run to be gone on with."""
    found = trainer.attributes
    return {
        "format": _FORMAT,
        "generator_id": trainer.generator.id,
        "options": trainer.options.to_json(),
        "scorer": found.scorer.name,
        "attributes": json.dumps(list(found.names)),
    }
