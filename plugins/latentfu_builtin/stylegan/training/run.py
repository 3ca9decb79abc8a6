"""A whole training run: steps, checkpoints, lines of numbers, grids of samples, export."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from latentfu_builtin.networks.stylegan.files import check_tensors
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config, save_network
from latentfu_builtin.networks.training_state import pick_tensors
from latentfu_builtin.stylegan.training.checkpoint import (
    networks,
    read_checkpoint,
    save_checkpoint,
)
from latentfu_builtin.stylegan.training.losses import psnr
from latentfu_builtin.stylegan.training.source import (
    Batch,
    BatchSource,
    HoldoutSource,
    to_pixels,
)
from latentfu_builtin.stylegan.training.trainer import Trainer

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Pace:
    """How often a run writes, and when it stops, in minutes; 0 for never."""

    checkpoint: float = 10.0
    samples: float = 5.0
    stop: float = 0.0


def _draw_holdout(source: BatchSource) -> Batch | None:
    """Pairs to measure with, of a source that has any."""
    return source.holdout() if isinstance(source, HoldoutSource) else None


def run_training(trainer: Trainer, folder: Path, pace: Pace, say: Callable[[str], None]) -> None:
    """Train until the end (or the time to stop), writing into `folder` as it goes.

    Of a group only the leading process writes and speaks, and it says when to stop.
    """
    group = trainer.group
    for net in networks(trainer).values():
        group.copy_from_leader(net.state_dict().values())
    if not group.leads:
        while not trainer.done:
            trainer.step()
            if pace.stop and group.agree(False):
                return
        return
    holdout = _draw_holdout(trainer.source)
    log = _RunLog(trainer, say)
    begun = checkpointed = sampled = time.monotonic()

    def show_samples() -> None:
        decibels = _measure_psnr(trainer, holdout)
        name = f"samples-{trainer.images:07d}.png"
        _save_picture(folder / name, draw_sample_grid(trainer, holdout))
        tail = "" if decibels is None else f"  PSNR {decibels:.2f} dB on held-out pairs"
        say(f"samples in {name}{tail}")

    while not trainer.done:
        log.add(trainer.step())
        now = time.monotonic()
        if pace.samples and now - sampled > 60 * pace.samples:
            show_samples()
            sampled = time.monotonic()
        if pace.checkpoint and now - checkpointed > 60 * pace.checkpoint:
            save_checkpoint(folder / CHECKPOINT, trainer)
            checkpointed = time.monotonic()
        if pace.stop and group.agree(now - begun > 60 * pace.stop):
            say("time is up; the same command continues from here")
            break
    log.line()
    show_samples()
    save_checkpoint(folder / CHECKPOINT, trainer)


def export_network(
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
    part = pick_tensors(tensors, which)
    check_tensors(checkpoint, net.state_dict(), part)
    net.load_state_dict(part)
    net.requires_grad_(False).mapping.set_w_avg(w_avg_samples)
    training = {"training": notes["options"], "counters": notes["counters"]}
    save_network(output, net, {**training, **metadata})
    return net


def _make_grid(images: Tensor, columns: int, zoom: int = 2) -> Image.Image:
    """Pictures [N, 3, R, R] as one, row by row."""
    pixels = to_pixels(images)
    n, r = pixels.shape[:2]
    rows = math.ceil(n / columns)
    canvas = np.zeros((rows * r, columns * r, 3), np.uint8)
    for place, picture in enumerate(pixels):
        y, x = divmod(place, columns)
        canvas[y * r : (y + 1) * r, x * r : (x + 1) * r] = picture
    image = Image.fromarray(canvas)
    return image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)


@torch.no_grad()
def _draw_averaged(trainer: Trainer, z: Tensor, noise: bool, batch: int = 32) -> Tensor:
    """Pictures of the averaged generator for z, on the CPU."""
    kind = "const" if noise else "none"
    parts = [
        trainer.ema(part.to(trainer.device), noise=kind).cpu() for part in torch.split(z, batch)
    ]
    return torch.cat(parts)


def draw_sample_grid(trainer: Trainer, holdout: Batch | None, columns: int = 12) -> Image.Image:
    """Held-out targets over what the generator makes of their z; else plain samples."""
    noise = trainer.phase == "adversarial"
    if holdout is None or holdout.z is None:
        z = torch.randn(columns * 4, trainer.config.z_numbers, generator=_fixed_random())
        return _make_grid(_draw_averaged(trainer, z, noise), columns)
    count = min(columns * 3, len(holdout.z))
    made = _draw_averaged(trainer, holdout.z[:count], noise)
    rows = [
        torch.cat([holdout.images[i : i + columns], made[i : i + columns]])
        for i in range(0, count, columns)
    ]
    return _make_grid(torch.cat(rows), columns)


def _fixed_random() -> torch.Generator:
    """The same samples at each look."""
    return torch.Generator().manual_seed(12345)


def _measure_psnr(trainer: Trainer, holdout: Batch | None) -> float | None:
    """Mean PSNR in dB over the held-out pairs."""
    if holdout is None or holdout.z is None:
        return None
    made = _draw_averaged(trainer, holdout.z, trainer.phase == "adversarial")
    return psnr(made, holdout.images).mean().item()


class _RunLog:
    """Prints a line every few seconds and keeps running means of the losses between them."""

    def __init__(self, trainer: Trainer, say: Callable[[str], None], every: float = 10.0) -> None:
        self.trainer, self.say, self.every = trainer, say, every
        self.begun = self.last = time.monotonic()
        self.last_images = trainer.images
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, numbers: dict[str, float]) -> None:
        """Take in one step's losses; say a line when it is time."""
        for name, value in numbers.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)
        if time.monotonic() - self.last >= self.every:
            self.line()

    def line(self) -> None:
        """Say where the run is, when it has moved."""
        now, trainer = time.monotonic(), self.trainer
        if trainer.images == self.last_images:
            return
        speed = (trainer.images - self.last_images) / max(now - self.last, 1e-9)
        left = (trainer.total_images - trainer.images) / max(speed, 1e-9)
        means = "  ".join(f"{k} {total / n:.4f}" for k, (total, n) in self.sums.items())
        self.say(
            f"{now - self.begun:7.0f} s  {trainer.images}/{trainer.total_images}  "
            f"{trainer.phase}  {means}  {speed:.1f} img/s  {left / 60:.1f} min left"
        )
        self.last, self.last_images, self.sums = now, trainer.images, {}


def _save_picture(path: Path, picture: Image.Image) -> None:
    """Write a PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
