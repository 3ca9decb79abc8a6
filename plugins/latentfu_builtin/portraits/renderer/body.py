"""Neck and shoulders, which do not turn with the head."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, ramp
from latentfu_builtin.portraits.renderer.shapes import Point, blend, ellipsoid


def body_distance(p: Point, a: Anatomy) -> Tensor:
    """Distance to neck and clothed torso, ``[N, P]``, in view coordinates."""
    radius = 0.215 + 0.03 * a.male
    # The neck leans forward a little on its way up.
    z = p.z + 0.14 - 0.15 * (p.y + 0.8).clamp(-0.3, 0.6)
    neck = (p.x * p.x + z * z + 1e-6).sqrt() - radius - 0.12 * ramp(p.y, -0.6, -1.1)
    neck = torch.maximum(neck, p.y + 0.15)
    # Below the shoulder line the torso goes straight down, out of any picture.
    y = (p.y + 1.12).clamp(min=0)
    torso = ellipsoid(Point(p.x, y, p.z + 0.12), 0.93 + 0.09 * a.male, 0.33, 0.4)
    return blend(neck, torso, 0.14) - 0.018 * ramp(cloth_line(p), -0.01, 0.02)


def cloth_line(p: Point) -> Tensor:
    """Depth below the collar, positive on cloth."""
    round_neck = 0.2 * (1 - (p.x / 0.42) ** 2).clamp(min=0)
    return -0.71 - round_neck * ramp(p.z, -0.2, 0.1) - p.y
