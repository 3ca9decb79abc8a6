"""A room out of focus behind the sitter, as a photo has: soft panels and discs of light."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import ramp

DISCS, PANELS = 14, 3


def room(seed: int, u: Tensor, v: Tensor) -> Tensor:
    """What the background's colour is multiplied with, [1, 3, P], at samples ``u, v [1, P]``.

    The same room for every picture size, since it is drawn in view units.
    """
    draw = torch.Generator().manual_seed(seed)
    light = torch.ones(1, 3, u.shape[1]).to(u)
    for _ in range(PANELS):
        place, tilt, amount = torch.rand(3, generator=draw).tolist()
        edge = u + 0.2 * (tilt - 0.5) * v - (4 * place - 2)
        light *= 1 + 0.5 * (amount - 0.6) * ramp(edge, -0.25, 0.25)[:, None]
    for _ in range(DISCS):
        x, y, size, bright, warm = torch.rand(5, generator=draw).tolist()
        radius = 0.12 + 0.4 * size * size
        away = ((u - 4 * x + 2) ** 2 + (v - 2.6 * y + 0.9) ** 2).sqrt()
        disc = ramp(away, radius, 0.72 * radius)  # [1, P], 1 inside
        tint = torch.tensor([0.4 * warm + 0.8, 1.0, 1.2 - 0.4 * warm]).to(u)[None, :, None]
        light = torch.lerp(light, light * tint * (0.7 + 0.9 * bright), 0.55 * disc[:, None])
    floor = 0.8 + 0.2 * torch.sigmoid((v + 0.9) * math.pi)
    return light * floor[:, None]
