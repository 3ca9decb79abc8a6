"""What a person sees of a training run: lines of numbers and grids of samples."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from latentfu_builtin.stylegan.training.losses import psnr
from latentfu_builtin.stylegan.training.source import Batch, to_pixels
from latentfu_builtin.stylegan.training.trainer import Trainer


def grid(images: Tensor, columns: int, zoom: int = 2) -> Image.Image:
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
def generate(trainer: Trainer, z: Tensor, noise: bool, batch: int = 32) -> Tensor:
    """Pictures of the averaged generator for z, on the CPU."""
    kind = "const" if noise else "none"
    parts = [
        trainer.ema(part.to(trainer.device), noise=kind).cpu() for part in torch.split(z, batch)
    ]
    return torch.cat(parts)


def sample_grid(trainer: Trainer, holdout: Batch | None, columns: int = 12) -> Image.Image:
    """Held-out targets over what the generator makes of their z; else plain samples."""
    noise = trainer.phase == "adversarial"
    if holdout is None or holdout.z is None:
        z = torch.randn(columns * 4, trainer.config.z_numbers, generator=fixed_random())
        return grid(generate(trainer, z, noise), columns)
    count = min(columns * 3, len(holdout.z))
    made = generate(trainer, holdout.z[:count], noise)
    rows = [
        torch.cat([holdout.images[i : i + columns], made[i : i + columns]])
        for i in range(0, count, columns)
    ]
    return grid(torch.cat(rows), columns)


def fixed_random() -> torch.Generator:
    """The same samples at each look."""
    return torch.Generator().manual_seed(12345)


def quality(trainer: Trainer, holdout: Batch | None) -> float | None:
    """Mean PSNR in dB over the held-out pairs."""
    if holdout is None or holdout.z is None:
        return None
    made = generate(trainer, holdout.z, trainer.phase == "adversarial")
    return psnr(made, holdout.images).mean().item()


class Progress:
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


def save_picture(path: Path, picture: Image.Image) -> None:
    """Write a PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
