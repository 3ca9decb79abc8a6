"""Pictures as photographs come: an encoder that saw renders alone reads photographs badly."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from latentfu_builtin.regions.photograph_look import (
    Pixels,
    Random,
    change_light,
    draw_cover,
    draw_texture,
    lay_over,
    take_photograph,
)

_BEHIND, _COVERED = 0.4, 0.25


def change_into_photographs(x: Tensor, share: float, random: torch.Generator) -> Tensor:
    """About ``share`` (0..1) of the pictures [N, 3, S, S] in -1..1 as photographs might show them.

    Uneven light, exposure, white balance, gray and toned prints, blur, grain and JPEG; something
    else around the person, or something before them. What the picture means stays: its code.
    """
    chosen = torch.rand(len(x), generator=random) < share
    seeds = torch.randint(2**31, (len(x),), generator=random).tolist()
    out = x.clone()
    for row in chosen.nonzero()[:, 0].tolist():
        pixels = (x[row].permute(1, 2, 0).numpy() + 1.0) * 127.5  # [S, S, 3]
        changed = _photograph(pixels.astype(np.float32), np.random.default_rng(seeds[row]))
        unit = np.clip(changed, 0, 255).astype(np.float32) / 127.5 - 1.0
        out[row] = torch.from_numpy(np.ascontiguousarray(unit.transpose(2, 0, 1)))
    return out


def _photograph(image: Pixels, random: Random) -> Pixels:
    size = image.shape[0]
    if random.random() < _BEHIND:
        image = lay_over(image, ~_draw_middle(size, random), draw_texture(size, random), random)
    if random.random() < _COVERED:
        image = lay_over(image, draw_cover(size, random), draw_texture(size, random), random)
    return take_photograph(change_light(image, random), random)


def _draw_middle(size: int, random: Random) -> Pixels:
    """About where an aligned crop shows the person, bool ``[S, S]``: a head over shoulders."""
    mask = np.zeros((size, size), np.uint8)
    middle = tuple(int(v) for v in size * (0.5 + random.normal(0, 0.02, 2)))
    axes = tuple(int(v) for v in size * random.uniform((0.34, 0.44), (0.46, 0.56)))
    cv2.ellipse(mask, middle, axes, 0.0, 0, 360, 1, -1)
    below = int(size * random.uniform(0.38, 0.5))
    cv2.ellipse(mask, (size // 2, size), (below, int(0.35 * size)), 0.0, 0, 360, 1, -1)
    return np.asarray(mask > 0)
