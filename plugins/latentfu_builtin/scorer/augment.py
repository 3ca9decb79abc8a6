"""Mild changes to training pictures, so that small networks also read what is not a render."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def _draw_uniform(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """[N, 1, 1, 1] numbers between low and high."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=random)


def jitter_colors(x: Tensor, random: torch.Generator, strength: float = 0.06) -> Tensor:
    """Small changes of brightness, contrast and of each color; x [N, 3, H, W] in -1..1."""
    n = x.shape[0]
    gains = 1.0 + strength * torch.randn(n, 3, 1, 1, generator=random)
    return x * gains + strength * torch.randn(n, 1, 1, 1, generator=random)


def blur_some(x: Tensor, random: torch.Generator, most: float = 1.0) -> Tensor:
    """Gaussian blur of up to `most` pixels; half of x [N, C, H, W] stays sharp."""
    n, c, h, w = x.shape
    sigma = _draw_uniform(n, -most, most, random).clamp_min(0.05)[:, 0, 0]  # [N, 1]
    steps = torch.arange(-3, 4)
    taps = torch.exp(-0.5 * (steps[None] / sigma).square())  # [N, 7]
    taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(c, dim=0)  # [N C, 7]
    flat = F.pad(x, (3, 3, 3, 3), mode="replicate").reshape(1, n * c, h + 6, w + 6)
    flat = F.conv2d(flat, taps[:, None, :, None], groups=n * c)
    return F.conv2d(flat, taps[:, None, None, :], groups=n * c).reshape(n, c, h, w)


def add_noise(x: Tensor, random: torch.Generator, most: float = 0.06) -> Tensor:
    """Noise of up to `most` standard deviation."""
    noise = torch.randn(x.shape, generator=random)
    return x + noise * _draw_uniform(x.shape[0], 0.0, most, random)


def _shift_some(
    x: Tensor, random: torch.Generator, most: float = 1.5, zoom: float = 0.02
) -> Tensor:
    """Sub-pixel shift by up to `most` pixels and a little zoom, borders repeated."""
    n, _, h, w = x.shape
    scale = 1.0 + zoom * torch.randn(n, generator=random)
    moves = (2 * torch.rand(n, 2, generator=random) - 1) * most * 2 / torch.tensor([w, h])
    matrices = torch.zeros(n, 2, 3)
    matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, :, 2] = scale, scale, moves
    grid = F.affine_grid(matrices, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def choose_some(x: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Which pictures of x [N, C, H, W] to change, [N, 1, 1, 1] bool: this share, at random."""
    return torch.rand(x.shape[0], 1, 1, 1, generator=random) < share


def change_mildly(x: Tensor, random: torch.Generator) -> Tensor:
    """All of them, for portraits in the standard crop."""
    return add_noise(
        jitter_colors(blur_some(_shift_some(x, random), random), random), random
    ).clamp(-1, 1)
