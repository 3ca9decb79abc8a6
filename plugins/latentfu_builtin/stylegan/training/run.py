"""A whole training run: steps, checkpoints, samples, export."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from latentfu_builtin.networks.stylegan.files import check_tensors
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config, save_network
from latentfu_builtin.stylegan.training.checkpoint import pick, read_checkpoint, save_checkpoint
from latentfu_builtin.stylegan.training.pairs import PairCache
from latentfu_builtin.stylegan.training.report import Progress, quality, sample_grid, save_picture
from latentfu_builtin.stylegan.training.source import Batch, RendererSource, Source
from latentfu_builtin.stylegan.training.trainer import Trainer

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Pace:
    """How often a run writes, and when it stops, in minutes; 0 for never."""

    checkpoint: float = 10.0
    samples: float = 5.0
    stop: float = 0.0


def holdout_of(source: Source) -> Batch | None:
    """Pairs to measure with: the cache's held-out ones, or a few fresh renders."""
    if isinstance(source, PairCache):
        return source.holdout()
    if isinstance(source, RendererSource):
        return source.draw(64, torch.Generator().manual_seed(99))
    return None


def run(trainer: Trainer, folder: Path, pace: Pace, say: Callable[[str], None]) -> None:
    """Train until the end (or the time to stop), writing into `folder` as it goes."""
    holdout = holdout_of(trainer.source)
    progress = Progress(trainer, say)
    begun = checkpointed = sampled = time.monotonic()

    def look() -> None:
        decibels = quality(trainer, holdout)
        name = f"samples-{trainer.images:07d}.png"
        save_picture(folder / name, sample_grid(trainer, holdout))
        tail = "" if decibels is None else f"  PSNR {decibels:.2f} dB on held-out pairs"
        say(f"samples in {name}{tail}")

    while not trainer.done:
        progress.add(trainer.step())
        now = time.monotonic()
        if pace.samples and now - sampled > 60 * pace.samples:
            look()
            sampled = time.monotonic()
        if pace.checkpoint and now - checkpointed > 60 * pace.checkpoint:
            save_checkpoint(folder / CHECKPOINT, trainer)
            checkpointed = time.monotonic()
        if pace.stop and now - begun > 60 * pace.stop:
            say("time is up; the same command continues from here")
            break
    progress.line()
    look()
    save_checkpoint(folder / CHECKPOINT, trainer)


def export(
    checkpoint: Path,
    output: Path,
    metadata: dict[str, str],
    *,
    which: str = "ema",
    w_avg_samples: int = 10_000,
) -> StyleGAN2:
    """Write a checkpoint's averaged (or raw) generator as a float16 network file."""
    tensors, notes = read_checkpoint(checkpoint)
    net = StyleGAN2(StyleGAN2Config.from_json(notes["config"]))
    part = pick(tensors, which)
    check_tensors(checkpoint, net.state_dict(), part)
    net.load_state_dict(part)
    net.requires_grad_(False).mapping.set_w_avg(w_avg_samples)
    training = {"training": notes["options"], "counters": notes["counters"]}
    save_network(output, net, {**training, **metadata})
    return net
