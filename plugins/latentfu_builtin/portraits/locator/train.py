"""Training the locator, and measuring it in pictures of the usual size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import mixed_precision, write_whole
from torch import Tensor

from latentfu_builtin.portraits.locator.crop import learn_crop_fit
from latentfu_builtin.portraits.locator.locate import locate
from latentfu_builtin.portraits.locator.network import HEAT, Locator, save_locator, soft_argmax
from latentfu_builtin.portraits.locator.scenes import Scenes, training_batch
from latentfu_builtin.portraits.renderer import Placement, crop_quad, landmarks, render, sample
from latentfu_builtin.stylegan.training.pairs import PairCache


@dataclass(frozen=True)
class LocatorOptions:
    """How the locator is trained; amounts are counted in pictures."""

    images: int = 60_000
    batch: int = 48
    own: int = 12  # of the batch, so many from the rendered scenes
    lr: float = 2e-3
    seed: int = 0
    bf16: bool = True


def loss(heat: Tensor, present: Tensor, places: Tensor, there: Tensor) -> Tensor:
    """Landmark distance, heatmap cross entropy and presence; places outside do not count.

    heat [N, 5, S, S], present [N], places [N, 5, 2] in 0..1, there [N] 0 or 1.
    """
    inside = ((places > 0) & (places < 1)).all(dim=2).float() * there[:, None]  # [N, 5]
    total = inside.sum().clamp_min(1)
    distance = (soft_argmax(heat) - places).square().sum(dim=2).add(1e-6).sqrt()
    grid = (torch.arange(HEAT) + 0.5) / HEAT
    dx = (grid[None, None] - places[..., :1]) * HEAT
    dy = (grid[None, None] - places[..., 1:]) * HEAT
    target = torch.exp(-0.5 * (dy.square()[..., :, None] + dx.square()[..., None, :]))
    target = target.flatten(2) / target.flatten(2).sum(dim=2, keepdim=True).clamp_min(1e-6)
    entropy = -(target * heat.flatten(2).log_softmax(dim=2)).sum(dim=2)
    points = ((20.0 * distance + 0.2 * entropy) * inside).sum() / total
    return points + F.binary_cross_entropy_with_logits(present, there)


def train_locator(
    scenes: Scenes, cache: PairCache, options: LocatorOptions, say: Callable[[str], None]
) -> Locator:
    """A locator trained on rendered scenes and on the cache's portraits, placed in pictures."""
    torch.manual_seed(options.seed)
    random = torch.Generator().manual_seed(options.seed)
    locator = Locator().to(memory_format=torch.channels_last)
    standard = cache.rows(slice(0, cache.count)).landmarks
    if standard is None:
        raise ValueError("the locator needs portraits whose landmarks are known")
    fit = learn_crop_fit(standard[:, :5])
    locator.crop_mean.copy_(fit.mean)
    locator.crop_correction.copy_(fit.correction)
    adam = torch.optim.AdamW(locator.parameters(), lr=options.lr, weight_decay=0.02)
    steps = max(1, options.images // options.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(adam, options.lr, total_steps=steps, pct_start=0.1)
    begun = said = time.monotonic()
    for step in range(steps):
        crops = cache.draw(options.batch - options.own, random)
        images, places, there = training_batch(scenes, crops, random, own=options.own)
        with mixed_precision("cpu", options.bf16):
            heat, present = locator.heatmaps(images.contiguous(memory_format=torch.channels_last))
        value = loss(heat, present, places, there)
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        adam.step()
        plan.step()
        if time.monotonic() - said > 10:
            said = time.monotonic()
            speed = (step + 1) * options.batch / (said - begun)
            say(f"{step + 1}/{steps}  loss {value.item():.3f}  {speed:.0f} img/s")
    return locator.eval().requires_grad_(False)


@torch.no_grad()
def measure(locator: Locator, count: int = 24, seed: int = 4711) -> dict[str, float]:
    """Errors in pixels on fresh renders of 768 x 960, head at 0.4..1.0 of the width."""
    width, height = 768, 960
    random = torch.Generator().manual_seed(seed)
    points, corners, sides, present = [], [], [], []
    for i in range(count):
        a, b, c = torch.rand(3, generator=random).tolist()
        scale = 0.4 + 0.6 * a
        reach = 0.5 - 0.4 * scale
        place = Placement(0.5 + (2 * b - 1) * reach, 0.5 + (2 * c - 1) * reach, scale)
        factors = sample(1, seed=seed + i)
        picture = render(factors, (height, width), placement=place, supersample=1)[0]
        pixels = picture.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        found = locate(locator, pixels.permute(1, 2, 0).numpy())
        truth = landmarks(factors, (height, width), placement=place)[0]
        wanted = torch.tensor(crop_quad((height, width), place))
        crop = torch.tensor(found.crop)
        points.append((torch.from_numpy(found.landmarks) - truth).norm(dim=1).mean())
        side = wanted[2] - wanted[0]
        corners.append((crop - wanted).abs().mean() / side)
        sides.append((crop[2] - crop[0]) / side - 1)
        present.append(torch.tensor(found.presence > 0.5).float())
    return {
        "landmark_error_px": round(torch.stack(points).mean().item(), 2),
        "landmark_error_px_worst": round(torch.stack(points).max().item(), 2),
        "crop_edge_error_of_side": round(torch.stack(corners).mean().item(), 4),
        "crop_side_error": round(torch.stack(sides).abs().mean().item(), 4),
        "found": round(torch.stack(present).mean().item(), 4),
    }


def write_locator(
    path: Path, locator: Locator, numbers: dict[str, float], options: LocatorOptions
) -> None:
    """The weights, and beside them a JSON file with the figures."""
    save_locator(path, locator, {"domain": "portraits", "licence": "Apache-2.0"})
    notes = {
        "trained_on": f"{options.images} changed renders, seed {options.seed}",
        "measured_at": "768 x 960 pixels, head at 0.4 to 1.0 of the width",
        "figures": numbers,
    }
    write_whole(path.with_suffix(".json"), (json.dumps(notes, indent=1) + "\n").encode())
