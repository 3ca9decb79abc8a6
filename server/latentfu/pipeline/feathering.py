"""How strongly a pasted change shows at each pixel of the layer."""

from __future__ import annotations

import math
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Quad
from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.geometry import Box, Floats, crop_to_layer

BORDER_PART = 0.05
"""The soft edge at the crop's border is at least this part of the crop's side."""


def check_feather(feather: float) -> None:
    """Refuse a feather that is no width (raises BadInputError)."""
    if not math.isfinite(feather) or not 0.0 <= feather <= 4096.0:
        raise BadInputError(f"The feather is {feather}: give 0 to 4096 pixels.")


def paste_weight(
    part: Layer, quad: Quad, box: Box, mask: MaskPixels | None, feather: float
) -> Floats:
    """float32 ``[h, w]`` in 0..1 over the box: 0 outside the mask, the crop and the opaque part."""
    check_feather(feather)
    weight = border_weight(quad, box, feather)
    if mask is not None:
        weight *= mask_weight(mask, box, feather)
    if part.has_alpha:
        weight *= part.pixels[:, :, 3].astype(np.float32) / 255.0
    return weight


def border_weight(quad: Quad, box: Box, feather: float) -> Floats:
    """1 inside the quad, falling smoothly to 0 at its border, 0 beyond."""
    x0, y0, x1, y1 = box
    inverse = np.linalg.inv(crop_to_layer(quad, 1.0)).astype(np.float32)
    width = min(max(feather / quad.side, BORDER_PART), 0.5)
    x = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)
    y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5))[:, None]
    if upright(inverse):  # each axis by itself: a hundred times less work
        across = inverse[0, 0] * x + inverse[0, 2]
        down = inverse[1, 1] * y + inverse[1, 2]
        return np.minimum(edge(across, width), edge(down, width))
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    along = ((inverse[row, 0] * x + inverse[row, 1] * y + inverse[row, 2]) for row in (0, 1))
    first, second = (edge(part / depth, width) for part in along)
    return np.minimum(first, second)


def upright(inverse: Floats) -> bool:
    """Whether the quad's sides lie along the layer's."""
    others = (inverse[0, 1], inverse[1, 0], inverse[2, 0], inverse[2, 1])
    return bool(np.abs(others).max() < 1e-9) and abs(float(inverse[2, 2]) - 1.0) < 1e-6


def edge(along: Floats, width: float) -> Floats:
    """Weight by one axis, on which the crop spans 0..1."""
    nearest = np.minimum(along, 1 - along)
    return smoothstep(nearest / np.float32(width))


def mask_weight(mask: MaskPixels, box: Box, feather: float) -> Floats:
    """The mask over the box, made soft on its inner side only.

    The soft edge is never wider than half of what the selection is deep, so that a narrow
    selection still shows the whole change in its middle.
    """
    import cv2

    x0, y0, x1, y1 = box
    reach = ceil(feather) + 1
    left, top = max(x0 - reach, 0), max(y0 - reach, 0)
    around = mask[top : y1 + reach, left : x1 + reach]
    inner = (slice(y0 - top, y0 - top + y1 - y0), slice(x0 - left, x0 - left + x1 - x0))
    values = around[inner].astype(np.float32) / 255.0
    selected = (around > 0).astype(np.uint8)
    if feather < 0.01 or selected.all():
        return values
    distance = cv2.distanceTransform(selected, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = min(feather, 0.5 * float(distance.max()))
    if width <= 0.0:
        return values
    return values * smoothstep((distance[inner] - 0.5) / width)


def smoothstep(x: npt.NDArray[Any]) -> Floats:
    """0 below 0, 1 above 1, smooth in between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), dtype=np.float32)
