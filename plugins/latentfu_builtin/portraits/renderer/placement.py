"""Where the standard square crop of a portrait lies in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Size = int | tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """The standard crop in a picture.

    The centre is a fraction of width and height (down), ``scale`` the side of the
    crop as a fraction of the shorter side of the picture.
    """

    center_x: float = 0.5
    center_y: float = 0.5
    scale: float = 1.0


def height_width(size: Size) -> tuple[int, int]:
    """The size as (height, width)."""
    return (size, size) if isinstance(size, int) else size


def crop_quad(size: Size, placement: Placement | None = None) -> tuple[float, float, float, float]:
    """The standard crop in pixels, (x0, y0, x1, y1); it may reach beyond the picture."""
    height, width = height_width(size)
    place = placement or Placement()
    half = place.scale * min(height, width) / 2
    x, y = place.center_x * width, place.center_y * height
    return (x - half, y - half, x + half, y + half)


def view_axes(size: Size, placement: Placement | None, supersample: int) -> tuple[Tensor, Tensor]:
    """View coordinates of the sample columns ``u [W*s]`` and rows ``v [H*s]``.

    The standard crop spans -1..1 in both; u grows to the right and v upwards.
    """
    height, width = height_width(size)
    x0, y0, x1, _ = crop_quad(size, placement)
    side = x1 - x0
    x = (torch.arange(width * supersample, dtype=torch.float32) + 0.5) / supersample
    y = (torch.arange(height * supersample, dtype=torch.float32) + 0.5) / supersample
    return (x - x0) * (2 / side) - 1, 1 - (y - y0) * (2 / side)


def to_pixels(view: Tensor, size: Size, placement: Placement | None) -> Tensor:
    """Pixel positions ``[..., 2]`` (x, y) of view coordinates ``[..., 2]`` (u, v)."""
    x0, y0, x1, _ = crop_quad(size, placement)
    half = (x1 - x0) / 2
    return torch.stack([x0 + (view[..., 0] + 1) * half, y0 + (1 - view[..., 1]) * half], dim=-1)
