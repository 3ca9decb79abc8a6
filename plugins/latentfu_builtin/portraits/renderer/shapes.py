"""Distances to plain solids, the bricks of the head and the body.

Coordinates are ``[N, P]``, measures ``[N, 1]`` or numbers; distances are close to
true near the surface, which is what the tracer needs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

Length = Tensor | float


class Point(NamedTuple):
    """Coordinates ``[N, P]`` each."""

    x: Tensor
    y: Tensor
    z: Tensor


def ellipsoid(p: Point, rx: Length, ry: Length, rz: Length) -> Tensor:
    """Distance to an ellipsoid at the origin, exact to first order at the surface."""
    x, y, z = p.x / rx, p.y / ry, p.z / rz
    k0 = (x * x + y * y + z * z).sqrt()
    x, y, z = x / rx, y / ry, z / rz
    k1 = (x * x + y * y + z * z + 1e-8).rsqrt()
    return k0 * (k0 - 1) * k1


def blend(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Union of two solids with a fillet of the given width."""
    h = (width - (a - b).abs()).clamp(min=0)
    return torch.minimum(a, b) - h * h * (0.25 / width)


def carve(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Intersection of two solids with a rounded edge."""
    return -blend(-a, -b, width)


def lobe(x: Tensor, y: Tensor, sx: float, sy: float) -> Tensor:
    """A smooth hill of height one over an ellipse, zero beyond it: (1 - r^2)^2."""
    x, y = x * (1 / sx), y * (1 / sy)
    r = (1 - x * x - y * y).clamp(min=0)
    return r * r


def present(d: Tensor, amount: Tensor, gap: float) -> Tensor:
    """The solid moved ``gap`` away as ``amount`` falls to zero, and out of reach at zero.

    Out of reach, so that a portrait looks the same next to whatever others wear.
    """
    return d + (1 - amount) * gap + torch.where(amount > 0, 0.0, 9.0)
