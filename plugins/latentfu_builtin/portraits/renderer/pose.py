"""How the head is turned: between the view frame and the head frame.

Both frames are right-handed with x to the right of the picture, y up and z to the
viewer; the head turns about ``PIVOT``. The camera is orthographic.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.factors import column

YAW_DEGREES, PITCH_DEGREES, ROLL_DEGREES = 40.0, 20.0, 20.0
PIVOT = (0.0, -0.05, -0.05)


def rotation(factors: Tensor) -> Tensor:
    """Rotations ``[N, 3, 3]`` from the head frame to the view frame."""
    yaw = factors[:, column("yaw")] * math.radians(YAW_DEGREES)
    # Raising the chin turns the face up, a negative turn about x in this frame.
    pitch = -factors[:, column("pitch")] * math.radians(PITCH_DEGREES)
    roll = -factors[:, column("roll")] * math.radians(ROLL_DEGREES)
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
