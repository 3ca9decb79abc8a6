"""Training the locator on portraits somewhere in a picture, and measuring it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import mixed_precision, read_tensors, write_tensors, write_whole
from torch import Tensor

from latentfu_builtin.portraits.locator.locator import (
    _HEAT,
    LOCATOR_SIZE,
    Locator,
    learn_crop_fit,
    locate_portrait,
    save_locator,
    soft_argmax,
)
from latentfu_builtin.portraits.renderer import (
    PortraitPlacement,
    crop_quad,
    landmarks,
    render,
    sample,
)
from latentfu_builtin.scorer.augment import add_noise, blur_some, jitter_colors
from latentfu_builtin.stylegan.training.pairs import PairCache
from latentfu_builtin.stylegan.training.source import Batch

_PER_SCENE = 4


@dataclass(frozen=True)
class LocatorOptions:
    """How the locator is trained; amounts are counted in pictures."""

    images: int = 60_000
    batch: int = 48
    own: int = 12  # of the batch, so many from the rendered scenes
    lr: float = 2e-3
    seed: int = 0
    bf16: bool = True


def _locator_loss(heat: Tensor, present: Tensor, places: Tensor, there: Tensor) -> Tensor:
    """Landmark distance, heatmap cross entropy and presence; places outside do not count.

    heat [N, 5, S, S], present [N], places [N, 5, 2] in 0..1, there [N] 0 or 1.
    """
    inside = ((places > 0) & (places < 1)).all(dim=2).float() * there[:, None]  # [N, 5]
    total = inside.sum().clamp_min(1)
    distance = (soft_argmax(heat) - places).square().sum(dim=2).add(1e-6).sqrt()
    grid = (torch.arange(_HEAT) + 0.5) / _HEAT
    dx = (grid[None, None] - places[..., :1]) * _HEAT
    dy = (grid[None, None] - places[..., 1:]) * _HEAT
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
        images, places, there = draw_training_batch(scenes, crops, random, own=options.own)
        with mixed_precision("cpu", options.bf16):
            heat, present = locator.heatmaps(images.contiguous(memory_format=torch.channels_last))
        value = _locator_loss(heat, present, places, there)
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
def measure_locator(locator: Locator, count: int = 24, seed: int = 4711) -> dict[str, float]:
    """Errors in pixels on fresh renders of 768 x 960, head at 0.4..1.0 of the width."""
    width, height = 768, 960
    random = torch.Generator().manual_seed(seed)
    points, corners, sides, present = [], [], [], []
    for i in range(count):
        a, b, c = torch.rand(3, generator=random).tolist()
        scale = 0.4 + 0.6 * a
        reach = 0.5 - 0.4 * scale
        place = PortraitPlacement(0.5 + (2 * b - 1) * reach, 0.5 + (2 * c - 1) * reach, scale)
        factors = sample(1, seed=seed + i)
        picture = render(factors, (height, width), placement=place, supersample=1)[0]
        pixels = picture.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        found = locate_portrait(locator, pixels.permute(1, 2, 0).numpy())
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


@dataclass(frozen=True)
class Scenes:
    """images: uint8 [M, 3, 128, 128]; landmarks: [M, 5, 2], x and y in 0..1 of the picture."""

    images: Tensor
    landmarks: Tensor

    def __len__(self) -> int:
        return len(self.images)


def draw_scene(random: torch.Generator, seed: int) -> tuple[Tensor, Tensor]:
    """PER_SCENE portraits with one random placement, letterboxed: images, landmarks."""
    shape, scale, x, y = torch.rand(4, generator=random).tolist()
    height, width = LOCATOR_SIZE, LOCATOR_SIZE
    if shape < 0.35:
        width = int(LOCATOR_SIZE * (0.62 + shape))  # portrait format
    elif shape > 0.7:
        height = int(LOCATOR_SIZE * (0.62 + 1.0 - shape))
    scale = 0.35 + 0.75 * scale
    reach = max(0.06, 0.5 - 0.38 * scale)
    placement = PortraitPlacement(0.5 + (2 * x - 1) * reach, 0.5 + (2 * y - 1) * reach, scale)
    factors = sample(_PER_SCENE, seed=seed)
    picture = render(factors, (height, width), placement=placement, supersample=1)
    places = landmarks(factors, (height, width), placement=placement)
    top, left = (LOCATOR_SIZE - height) // 2, (LOCATOR_SIZE - width) // 2
    box = torch.zeros(_PER_SCENE, 3, LOCATOR_SIZE, LOCATOR_SIZE)
    box[:, :, top : top + height, left : left + width] = picture
    return box, (places + torch.tensor([left, top])) / LOCATOR_SIZE


def render_scenes(
    path: Path, count: int, seed: int, progress: Callable[[int, int], None]
) -> Scenes:
    """Render `count` scenes into one safetensors file, or read what is already there."""
    if path.exists():
        stored = read_tensors(path)
        return Scenes(stored["images"], stored["landmarks"])
    random = torch.Generator().manual_seed(seed)
    images, places = [], []
    for i in range(0, count, _PER_SCENE):
        box, marks = draw_scene(random, seed * 1_000_003 + i)
        images.append(box.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8))
        places.append(marks)
        progress(min(i + _PER_SCENE, count), count)
    scenes = Scenes(torch.cat(images)[:count], torch.cat(places)[:count])
    stored = {"images": scenes.images, "landmarks": scenes.landmarks.contiguous()}
    write_tensors(path, stored, {})
    return scenes


def place_crops(crops: Tensor, places: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Standard crops [N, 3, R, R] somewhere in pictures of 128 px, their borders drawn on.

    Much cheaper than rendering scenes, so that there can be many faces. places: [N, 5, 2] in
    0..1 of the crop -> the pictures [N, 3, 128, 128] and landmarks in 0..1 of them.
    """
    n = crops.shape[0]
    scale = 0.35 + 0.75 * torch.rand(n, generator=random)
    reach = (0.5 - 0.38 * scale).clamp_min(0.06)
    center = 0.5 + (2 * torch.rand(n, 2, generator=random) - 1) * reach[:, None]
    matrices = torch.zeros(n, 2, 3)  # from the picture, -1..1, to the crop, -1..1
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / scale
    matrices[:, :, 2] = -(center * 2 - 1) / scale[:, None]
    grid = F.affine_grid(matrices, [n, 3, LOCATOR_SIZE, LOCATOR_SIZE], align_corners=False)
    pictures = F.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    moved = center[:, None] + (places - 0.5) * scale[:, None, None]
    return _add_bars(pictures, random), moved


def _add_bars(x: Tensor, random: torch.Generator) -> Tensor:
    """Gray bars at two sides, as pictures that are not square get them, in some of x."""
    wide, bar = torch.rand(2, x.shape[0], 1, 1, generator=random).unbind(0)
    bar = (bar - 0.4).clamp_min(0) * 0.35  # [N, 1, 1], as a part of the picture
    grid = (torch.arange(LOCATOR_SIZE) + 0.5) / LOCATOR_SIZE
    edge = torch.minimum(grid, 1 - grid)
    across = (edge[None, None, :] < bar) & (wide < 0.5)
    down = (edge[None, :, None] < bar) & (wide >= 0.5)
    return x.masked_fill((across | down)[:, None], 0.0)


def draw_clutter(count: int, random: torch.Generator) -> Tensor:
    """Pictures without a portrait [N, 3, 128, 128]: blurred noise, gradients, soft discs."""
    x = torch.zeros(count, 3, LOCATOR_SIZE, LOCATOR_SIZE)
    for cells in (2, 5, 16, 48):
        noise = torch.randn(count, 3, cells, cells, generator=random)
        strength = 0.8 * torch.rand(count, 1, 1, 1, generator=random).square()
        x = x + strength * F.interpolate(noise, (LOCATOR_SIZE, LOCATOR_SIZE), mode="bilinear")
    grid = torch.linspace(-1, 1, LOCATOR_SIZE)
    for _ in range(4):
        cx, cy, rx, ry = torch.rand(4, count, 1, 1, generator=random).unbind(0)
        dx = (grid[None, None, :] - (2 * cx - 1)) / (0.1 + 0.5 * rx)
        dy = (grid[None, :, None] - (2 * cy - 1)) / (0.1 + 0.5 * ry)
        disc = torch.sigmoid(12 * (1 - (dx.square() + dy.square())))[:, None]
        color = torch.rand(count, 3, 1, 1, generator=random) * 2 - 1
        x = x + disc * (color - x) * (torch.rand(count, 1, 1, 1, generator=random) < 0.5)
    return x.clamp(-1, 1)


def move_pictures(images: Tensor, places: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Zoom, shift and turn the pictures a little, and the landmarks with them."""
    n = images.shape[0]
    zoom = torch.exp(0.18 * torch.randn(n, generator=random))
    angle = 0.09 * torch.randn(n, generator=random)
    away = 0.2 * (2 * torch.rand(n, 2, generator=random) - 1)
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)  # out -> in
    grid = F.affine_grid(
        torch.cat([turn, away[:, :, None]], dim=2), list(images.shape), align_corners=False
    )
    moved = F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    centered = places * 2 - 1 - away[:, None]
    return moved, (centered @ torch.linalg.inv(turn).transpose(1, 2) + 1) / 2


def _replace_background(images: Tensor, places: Tensor, random: torch.Generator) -> Tensor:
    """Clutter instead of what lies well away from the face, in some of the pictures."""
    n = images.shape[0]
    center = places.mean(dim=1)  # [N, 2]
    size = (places - center[:, None]).square().sum(dim=2).mean(dim=1).sqrt()  # [N]
    grid = (torch.arange(LOCATOR_SIZE) + 0.5) / LOCATOR_SIZE
    dx = (grid[None] - center[:, :1]) / (3.3 * size[:, None])
    up = (grid[None] - center[:, 1:]) / size[:, None]
    dy = torch.where(up < 0, up / 4.2, up / 12.0)  # the body stays
    distance = dx.square()[:, None, :] + dy.square()[:, :, None]
    mask = torch.sigmoid(10 * (distance - 1))[:, None]
    wanted = (torch.rand(n, 1, 1, 1, generator=random) < 0.4).float()
    return torch.lerp(images, draw_clutter(n, random), mask * wanted)


def draw_training_batch(
    scenes: Scenes, crops: Batch, random: torch.Generator, *, own: int = 12, empty: float = 0.2
) -> tuple[Tensor, Tensor, Tensor]:
    """`own` rendered scenes and the placed crops, all changed, some emptied:

    images [N, 3, 128, 128], landmarks [N, 5, 2], presence [N] (0 or 1).
    """
    rows = torch.randint(len(scenes), (own,), generator=random)
    images, places = move_pictures(
        scenes.images[rows].float() / 127.5 - 1.0, scenes.landmarks[rows], random
    )
    if crops.landmarks is not None:
        placed = place_crops(crops.images.contiguous(), crops.landmarks[:, :5], random)
        images, places = torch.cat([images, placed[0]]), torch.cat([places, placed[1]])
    images = _replace_background(images, places, random)
    n = len(images)
    present = (torch.rand(n, generator=random) >= empty).float()
    nothing = draw_clutter(n, random)
    below = crops.images[: n // 2, :, -12:]  # shoulders without a head
    if len(below):
        nothing[: len(below)] = F.interpolate(below, (LOCATOR_SIZE, LOCATOR_SIZE), mode="bilinear")
    images = torch.where(present[:, None, None, None] > 0, images, nothing)
    images = add_noise(jitter_colors(blur_some(images, random), random, 0.12), random).clamp(-1, 1)
    return images, places, present
