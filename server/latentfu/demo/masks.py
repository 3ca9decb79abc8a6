"""Selections for the demo, drawn inside the square that the server found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentfu.core.layer import MaskPixels, Pixels

Corners = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Square:
    """The upright box round the generator's square in a layer: left, top, side in pixels."""

    left: float
    top: float
    side: float

    @staticmethod
    def around(corners: Corners) -> Square:
        """From the ``quad`` of a job's report."""
        points = np.asarray(corners, dtype=np.float64)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return Square(float(left), float(top), float(max(right - left, bottom - top)))


def ellipse(
    size: tuple[int, int],
    square: Square,
    center: tuple[float, float],
    radii: tuple[float, float],
    softness: float = 0.0,
) -> MaskPixels:
    """uint8 ``[H, W]``: 255 inside an ellipse, 0 outside.

    ``size``: height and width; ``center`` and ``radii``: fractions of the square;
    ``softness``: the part of the radius over which it fades, all of it inside the ellipse.
    """
    height, width = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    across = ((x - square.left) / square.side - center[0]) / radii[0]
    down = ((y - square.top) / square.side - center[1]) / radii[1]
    inside = 1.0 - np.hypot(across, down)
    if softness <= 0:
        return np.where(inside > 0, 255, 0).astype(np.uint8)
    mask: MaskPixels = (np.clip(inside / softness, 0.0, 1.0) * 255).round().astype(np.uint8)
    return mask


def changed_outside(before: Pixels, after: Pixels, mask: MaskPixels) -> int:
    """How many pixels differ where the mask is 0."""
    if before.shape != after.shape:
        raise ValueError(f"the pictures differ in size: {before.shape} and {after.shape}")
    differs = (before != after).any(axis=2)
    return int(np.count_nonzero(differs & (mask == 0)))
