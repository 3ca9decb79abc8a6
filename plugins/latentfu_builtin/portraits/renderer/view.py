"""Where the standard crop lies in the picture, and how the head is turned in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.factors import column

Size = int | tuple[int, int]
_YAW_DEGREES, _PITCH_DEGREES, _ROLL_DEGREES = 40.0, 20.0, 20.0
PIVOT = (0.0, -0.05, -0.05)


@dataclass(frozen=True)
class PortraitPlacement:
    """The standard crop in a picture.

    The center is a fraction of width and height (down), ``scale`` the side of the
    crop as a fraction of the shorter side of the picture.
    """

    center_x: float = 0.5
    center_y: float = 0.5
    scale: float = 1.0


def height_width(size: Size) -> tuple[int, int]:
    """The size as (height, width)."""
    return (size, size) if isinstance(size, int) else size


def crop_quad(
    size: Size, placement: PortraitPlacement | None = None
) -> tuple[float, float, float, float]:
    """The standard crop in pixels, (x0, y0, x1, y1); it may reach beyond the picture."""
    height, width = height_width(size)
    place = placement or PortraitPlacement()
    half = place.scale * min(height, width) / 2
    x, y = place.center_x * width, place.center_y * height
    return (x - half, y - half, x + half, y + half)


def view_axes(
    size: Size, placement: PortraitPlacement | None, supersample: int
) -> tuple[Tensor, Tensor]:
    """View coordinates of the sample columns ``u [W*s]`` and rows ``v [H*s]``.

    The standard crop spans -1..1 in both; u grows to the right and v upwards.
    """
    height, width = height_width(size)
    x0, y0, x1, _ = crop_quad(size, placement)
    side = x1 - x0
    x = (torch.arange(width * supersample, dtype=torch.float32) + 0.5) / supersample
    y = (torch.arange(height * supersample, dtype=torch.float32) + 0.5) / supersample
    return (x - x0) * (2 / side) - 1, 1 - (y - y0) * (2 / side)


def view_to_pixels(view: Tensor, size: Size, placement: PortraitPlacement | None) -> Tensor:
    """Pixel positions ``[..., 2]`` (x, y) of view coordinates ``[..., 2]`` (u, v)."""
    x0, y0, x1, _ = crop_quad(size, placement)
    half = (x1 - x0) / 2
    return torch.stack([x0 + (view[..., 0] + 1) * half, y0 + (1 - view[..., 1]) * half], dim=-1)


def rotation(factors: Tensor) -> Tensor:
    """Rotations ``[N, 3, 3]`` from the head frame to the view frame."""
    yaw = factors[:, column("yaw")] * math.radians(_YAW_DEGREES)
    # Raising the chin turns the face up, a negative turn about x in this frame.
    pitch = -factors[:, column("pitch")] * math.radians(_PITCH_DEGREES)
    roll = -factors[:, column("roll")] * math.radians(_ROLL_DEGREES)
    one, zero = torch.ones_like(yaw), torch.zeros_like(yaw)
    about_y = torch.stack(
        [yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos()], -1
    )
    about_x = torch.stack(
        [one, zero, zero, zero, pitch.cos(), -pitch.sin(), zero, pitch.sin(), pitch.cos()], -1
    )
    about_z = torch.stack(
        [roll.cos(), -roll.sin(), zero, roll.sin(), roll.cos(), zero, zero, zero, one], -1
    )
    return about_z.view(-1, 3, 3) @ about_y.view(-1, 3, 3) @ about_x.view(-1, 3, 3)


def to_view(points: Tensor, turn: Tensor) -> Tensor:
    """Head-frame points ``[N, K, 3]`` in the view frame."""
    pivot = torch.tensor(PIVOT, dtype=points.dtype, device=points.device)
    return (points - pivot) @ turn.transpose(1, 2) + pivot
