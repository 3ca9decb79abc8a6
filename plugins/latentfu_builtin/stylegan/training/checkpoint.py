"""A training run on disk: one safetensors file with every tensor, the counters as metadata."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from latentfu import BadInputError, StorageError, read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import check_tensors
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
from latentfu_builtin.networks.training_state import (
    copy_tensors,
    gather_moments,
    name_tensors,
    pick_tensors,
    restore_moments,
)
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.source import BatchSource
from latentfu_builtin.stylegan.training.trainer import Trainer
from latentfu_builtin.stylegan.training.training_group import ALONE, TrainingGroup

_FORMAT = "latentfu-training-1"


def networks(trainer: Trainer) -> dict[str, nn.Module]:
    """The networks of a run by the name that their tensors carry."""
    return {"generator": trainer.generator, "judge": trainer.judge, "ema": trainer.ema}


def _optimizers(trainer: Trainer) -> dict[str, torch.optim.Adam]:
    """The optimizers of a run, likewise."""
    return {"adam": trainer.adam, "judge_adam": trainer.judge_adam}


def gather(trainer: Trainer) -> dict[str, Tensor]:
    """Every tensor that the run's future depends on, by name."""
    tensors: dict[str, Tensor] = {
        "random": trainer.random.get_state(),
        "torch_random": torch.get_rng_state(),
        "path_mean": trainer.path_mean,
    }
    if trainer.device.type == "cuda":
        tensors["cuda_random"] = torch.cuda.get_rng_state(trainer.device)
    for name, net in networks(trainer).items():
        tensors.update(name_tensors(net.state_dict(), name))
    for name, adam in _optimizers(trainer).items():
        moments = gather_moments(adam, adam.param_groups[0]["params"])
        tensors.update(name_tensors(moments, name))
    return copy_tensors(tensors)


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write the whole state, or leave the old file as it is."""
    counters = {"images": trainer.images, "steps": trainer.steps, "phase": trainer.phase}
    metadata = {
        "format": _FORMAT,
        "config": trainer.config.to_json(),
        "options": trainer.options.to_json(),
        "counters": json.dumps(counters),
    }
    write_tensors(path, gather(trainer), metadata)


def save_state(checkpoint: Path, path: Path, *, averaged: bool = False) -> None:
    """A checkpoint small enough to keep: networks in float16, without the optimizers' moments.

    Training goes on from it like from any checkpoint; the optimizers begin afresh. Only the
    `averaged` generator needs a third of the room: the generator goes on as its average, and the
    discriminator begins afresh.
    """
    tensors, metadata = read_checkpoint(checkpoint)
    left_out = ("generator.", "judge.") if averaged else ()
    networks_of = tuple(f"{name}." for name in ("generator", "judge", "ema"))
    kept = {
        name: value.half() if name.startswith(networks_of) else value
        for name, value in without_moments(tensors).items()
        if not name.startswith(left_out)
    }
    write_tensors(path, kept, metadata)


def _pick_generator(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The generator's tensors, those of its average where only that was kept."""
    return pick_tensors(tensors, "generator") or pick_tensors(tensors, "ema")


def without_moments(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What of a checkpoint's tensors training can go on from with fresh optimizers."""
    return {k: v for k, v in tensors.items() if not k.startswith(("adam.", "judge_adam."))}


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a checkpoint; ValueError when the file is none."""
    try:
        tensors, metadata = read_tensors_and_metadata(path)
    except (BadInputError, StorageError) as error:
        raise ValueError(f"{path} cannot be read as a checkpoint: {error}") from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is not a training checkpoint")
    return tensors, metadata


def load_checkpoint(
    path: Path,
    source: BatchSource,
    device: torch.device | str = "cpu",
    options: TrainingOptions | None = None,
    group: TrainingGroup = ALONE,
) -> Trainer:
    """The trainer as it was; `options`, when given, replace the run's own from here on.

    group: the processes that train on, which need not be as many as before; with another number
    the random numbers of noise and augmentation differ.
    """
    tensors, metadata = read_checkpoint(path)
    config = StyleGAN2Config.from_json(metadata["config"])
    stored = TrainingOptions.from_json(metadata["options"])
    trainer = Trainer(config, options or stored, source, device, group)
    counters = json.loads(metadata["counters"])
    trainer.images = int(counters["images"])
    trainer.phase = ""
    trainer.enter_phase()
    for name, net in networks(trainer).items():
        part = _pick_generator(tensors) if name == "generator" else pick_tensors(tensors, name)
        if name == "judge" and not part:
            continue  # only the averaged generator was kept
        check_tensors(path, net.state_dict(), part)
        net.load_state_dict(part)
    if trainer.phase == counters["phase"]:
        trainer.steps = int(counters["steps"])
        for name, adam in _optimizers(trainer).items():
            restore_moments(adam, adam.param_groups[0]["params"], pick_tensors(tensors, name))
    trainer.path_mean = tensors["path_mean"].to(trainer.device)
    trainer.random.set_state(tensors["random"])
    if not group.leads:
        return trainer  # its noise is its own, or all would draw the same
    torch.set_rng_state(tensors["torch_random"])
    if "cuda_random" in tensors and trainer.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["cuda_random"], trainer.device)
    return trainer
