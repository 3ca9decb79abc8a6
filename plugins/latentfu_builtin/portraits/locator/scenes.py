"""Pictures to train the locator on: portraits somewhere in a picture, and pictures without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import read_tensors, write_tensors
from torch import Tensor

from latentfu_builtin.portraits.augment import blur, jitter, speckle
from latentfu_builtin.portraits.locator.network import SIZE
from latentfu_builtin.portraits.renderer import Placement, landmarks, render, sample
from latentfu_builtin.stylegan.training.source import Batch

PER_SCENE = 4


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
    height, width = SIZE, SIZE
    if shape < 0.35:
        width = int(SIZE * (0.62 + shape))  # portrait format
    elif shape > 0.7:
        height = int(SIZE * (0.62 + 1.0 - shape))
    scale = 0.35 + 0.75 * scale
    reach = max(0.06, 0.5 - 0.38 * scale)
    placement = Placement(0.5 + (2 * x - 1) * reach, 0.5 + (2 * y - 1) * reach, scale)
    factors = sample(PER_SCENE, seed=seed)
    picture = render(factors, (height, width), placement=placement, supersample=1)
    places = landmarks(factors, (height, width), placement=placement)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    box = torch.zeros(PER_SCENE, 3, SIZE, SIZE)
    box[:, :, top : top + height, left : left + width] = picture
    return box, (places + torch.tensor([left, top])) / SIZE


def render_scenes(
    path: Path, count: int, seed: int, progress: Callable[[int, int], None]
) -> Scenes:
    """Render `count` scenes into one safetensors file, or read what is already there."""
    if path.exists():
        stored = read_tensors(path)
        return Scenes(stored["images"], stored["landmarks"])
    random = torch.Generator().manual_seed(seed)
    images, places = [], []
    for i in range(0, count, PER_SCENE):
        box, marks = draw_scene(random, seed * 1_000_003 + i)
        images.append(box.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8))
        places.append(marks)
        progress(min(i + PER_SCENE, count), count)
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
    centre = 0.5 + (2 * torch.rand(n, 2, generator=random) - 1) * reach[:, None]
    matrices = torch.zeros(n, 2, 3)  # from the picture, -1..1, to the crop, -1..1
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / scale
    matrices[:, :, 2] = -(centre * 2 - 1) / scale[:, None]
    grid = F.affine_grid(matrices, [n, 3, SIZE, SIZE], align_corners=False)
    pictures = F.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    moved = centre[:, None] + (places - 0.5) * scale[:, None, None]
    return letterbox_bars(pictures, random), moved


def letterbox_bars(x: Tensor, random: torch.Generator) -> Tensor:
    """Grey bars at two sides, as pictures that are not square get them, in some of x."""
    wide, bar = torch.rand(2, x.shape[0], 1, 1, generator=random).unbind(0)
    bar = (bar - 0.4).clamp_min(0) * 0.35  # [N, 1, 1], as a part of the picture
    grid = (torch.arange(SIZE) + 0.5) / SIZE
    edge = torch.minimum(grid, 1 - grid)
    across = (edge[None, None, :] < bar) & (wide < 0.5)
    down = (edge[None, :, None] < bar) & (wide >= 0.5)
    return x.masked_fill((across | down)[:, None], 0.0)


def clutter(count: int, random: torch.Generator) -> Tensor:
    """Pictures without a portrait [N, 3, 128, 128]: blurred noise, gradients, soft discs."""
    x = torch.zeros(count, 3, SIZE, SIZE)
    for cells in (2, 5, 16, 48):
        noise = torch.randn(count, 3, cells, cells, generator=random)
        strength = 0.8 * torch.rand(count, 1, 1, 1, generator=random).square()
        x = x + strength * F.interpolate(noise, (SIZE, SIZE), mode="bilinear")
    grid = torch.linspace(-1, 1, SIZE)
    for _ in range(4):
        cx, cy, rx, ry = torch.rand(4, count, 1, 1, generator=random).unbind(0)
        dx = (grid[None, None, :] - (2 * cx - 1)) / (0.1 + 0.5 * rx)
        dy = (grid[None, :, None] - (2 * cy - 1)) / (0.1 + 0.5 * ry)
        disc = torch.sigmoid(12 * (1 - (dx.square() + dy.square())))[:, None]
        colour = torch.rand(count, 3, 1, 1, generator=random) * 2 - 1
        x = x + disc * (colour - x) * (torch.rand(count, 1, 1, 1, generator=random) < 0.5)
    return x.clamp(-1, 1)


def move(images: Tensor, places: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
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
    centred = places * 2 - 1 - away[:, None]
    return moved, (centred @ torch.linalg.inv(turn).transpose(1, 2) + 1) / 2


def new_background(images: Tensor, places: Tensor, random: torch.Generator) -> Tensor:
    """Clutter instead of what lies well away from the face, in some of the pictures."""
    n = images.shape[0]
    centre = places.mean(dim=1)  # [N, 2]
    size = (places - centre[:, None]).square().sum(dim=2).mean(dim=1).sqrt()  # [N]
    grid = (torch.arange(SIZE) + 0.5) / SIZE
    dx = (grid[None] - centre[:, :1]) / (3.3 * size[:, None])
    up = (grid[None] - centre[:, 1:]) / size[:, None]
    dy = torch.where(up < 0, up / 4.2, up / 12.0)  # the body stays
    distance = dx.square()[:, None, :] + dy.square()[:, :, None]
    mask = torch.sigmoid(10 * (distance - 1))[:, None]
    wanted = (torch.rand(n, 1, 1, 1, generator=random) < 0.4).float()
    return torch.lerp(images, clutter(n, random), mask * wanted)


def training_batch(
    scenes: Scenes, crops: Batch, random: torch.Generator, *, own: int = 12, empty: float = 0.2
) -> tuple[Tensor, Tensor, Tensor]:
    """`own` rendered scenes and the placed crops, all changed, some emptied:

    images [N, 3, 128, 128], landmarks [N, 5, 2], presence [N] (0 or 1).
    """
    rows = torch.randint(len(scenes), (own,), generator=random)
    images, places = move(scenes.images[rows].float() / 127.5 - 1.0, scenes.landmarks[rows], random)
    if crops.landmarks is not None:
        placed = place_crops(crops.images.contiguous(), crops.landmarks[:, :5], random)
        images, places = torch.cat([images, placed[0]]), torch.cat([places, placed[1]])
    images = new_background(images, places, random)
    n = len(images)
    present = (torch.rand(n, generator=random) >= empty).float()
    nothing = clutter(n, random)
    below = crops.images[: n // 2, :, -12:]  # shoulders without a head
    if len(below):
        nothing[: len(below)] = F.interpolate(below, (SIZE, SIZE), mode="bilinear")
    images = torch.where(present[:, None, None, None] > 0, images, nothing)
    images = speckle(jitter(blur(images, random), random, 0.12), random).clamp(-1, 1)
    return images, places, present
