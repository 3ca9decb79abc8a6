"""image -> layer: put a change made at the generator's resolution back at the layer's own.

    change = (edited - inverted) - (1 - keep) * (layer - inverted)
    out    = layer + weight * change

Where the edit moves little, ``keep`` is 1: the layer keeps all its own detail and only the
difference is added. Where the edit moves shapes, the old detail would stay as a ghost, so there
``keep`` goes to 0 and the edited picture itself is shown.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.crop import Box, Floats, box_around, crop_to_layer, shift, show_on_gray, warp

LARGEST_UPSAMPLED = 2048
LUMA = np.array((0.299, 0.587, 0.114), dtype=np.float32)
GHOST_FROM, GHOST_TO = 6.0, 26.0
"""Change of the delta over 1/64 of the crop's side, in levels, between which the layer's own
detail fades; chosen by eye on yaw, smile and hair colour edits."""


def paste(
    layer: Layer,
    quad: Quad,
    edited: Floats,
    inverted: Floats | None,
    *,
    mask: MaskPixels | None = None,
    feather: float = 12.0,
) -> Layer:
    """``layer`` with the change from ``inverted`` to ``edited`` (``[3, R, R]``, -1..1) in ``quad``.

    ``inverted`` None pastes the picture itself. ``feather``: width in layer pixels of the soft
    edge, inside the mask and at the crop's border. Alpha, and every pixel whose weight is 0,
    come back bit for bit.
    """
    box = box_around(quad, layer.width, layer.height)
    x0, y0, x1, y1 = box
    out = layer.pixels.copy()
    if x1 <= x0 or y1 <= y0:
        return Layer(out)
    part = Layer(layer.pixels[y0:y1, x0:x1])
    weight = paste_weight(part, quad, box, mask, feather)
    change = compute_change(part, quad, box, edited, inverted)
    if layer.pixels.shape[2] == 1:
        change = to_gray(change)[:, :, None]
    colours = change.shape[2]
    rounded = np.rint(change * weight[:, :, None]).astype(np.int16)
    changed = np.clip(part.pixels[:, :, :colours].astype(np.int16) + rounded, 0, 255)
    out[y0:y1, x0:x1, :colours] = changed.astype(np.uint8)
    return Layer(out)


def compute_change(
    part: Layer, quad: Quad, box: Box, edited: Floats, inverted: Floats | None
) -> Floats:
    """What to add to the box of the layer, in levels: float32 ``[h, w, 3]``."""
    target = to_levels(edited)
    if inverted is None:
        return upsample(target, quad, box) - show_on_gray(part)
    base = to_levels(inverted)
    delta = target - base
    if not np.any(delta):
        return np.zeros((part.height, part.width, 3), dtype=np.float32)
    change = upsample(delta, quad, box)
    lost = measure_ghosting(delta, base)
    if lost.max() > 0:
        detail = show_on_gray(part) - upsample(base, quad, box)
        change -= np.clip(upsample(lost[:, :, None], quad, box), 0.0, 1.0) * detail
    return change


def measure_ghosting(delta: Floats, base: Floats) -> Floats:
    """How much of the layer's detail must go: float32 ``[R, R]`` in 0..1.

    A new colour on an unmoved shape is smooth and keeps the detail. A moved shape shows as steep
    changes of ``delta``; inside it, as another structure in the edited picture than in ``base``.
    """
    import cv2

    dx = cv2.Sobel(delta, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    dy = cv2.Sobel(delta, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    steep = np.sqrt((dx * dx + dy * dy).max(axis=2)) * (delta.shape[0] / 64.0)
    steep = cv2.dilate(steep, np.ones((3, 3), np.uint8))
    moved = smoothstep((steep - GHOST_FROM) / (GHOST_TO - GHOST_FROM))
    changed = smoothstep((blur(np.abs(delta).max(axis=2), 2.0) - 15.0) / 30.0)
    alike = compare_structure(to_gray(base), to_gray(base + delta))
    other = changed * smoothstep((0.6 - alike) / 0.5)
    return np.maximum(blur(moved, 1.0), blur(other, 2.0))


def compare_structure(a: Floats, b: Floats) -> Floats:
    """Contrast and structure of two gray pictures ``[R, R]`` around each pixel, at most 1.

    The term of that name in SSIM (Wang et al. 2004), for levels 0..255.
    """
    mean_a, mean_b = blur(a, 2.0), blur(b, 2.0)
    spread = blur(a * a, 2.0) - mean_a**2 + blur(b * b, 2.0) - mean_b**2
    together = blur(a * b, 2.0) - mean_a * mean_b
    return np.asarray((2.0 * together + 64.0) / (np.maximum(spread, 0.0) + 64.0), np.float32)


def to_gray(image: Floats) -> Floats:
    """``[H, W, 3]`` -> ``[H, W]``."""
    return np.asarray(image @ LUMA, dtype=np.float32)


def blur(image: Floats, sigma: float) -> Floats:
    """A Gaussian blur of ``[R, R]``."""
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def to_levels(image: Floats) -> Floats:
    """``[3, R, R]`` in -1..1 -> ``[R, R, 3]`` in 0..255."""
    return np.ascontiguousarray((image.transpose(1, 2, 0) + 1.0) * 127.5, dtype=np.float32)


def upsample(image: npt.NDArray[np.float32], quad: Quad, box: Box) -> Floats:
    """``image [R, R, C]`` of the crop, seen in the box of the layer: ``[h, w, C]``.

    Lanczos to about the quad's size, then one warp into place.
    """
    import cv2

    resolution, channels = image.shape[0], image.shape[2]
    side = int(np.clip(round(quad.side), 1, max(LARGEST_UPSAMPLED, resolution)))
    how = cv2.INTER_LANCZOS4 if side >= resolution else cv2.INTER_AREA
    large = cv2.resize(image, (side, side), interpolation=how)
    x0, y0, x1, y1 = box
    to_box = shift(-x0, -y0) @ crop_to_layer(quad, side)
    warped = warp(large, to_box, x1 - x0, y1 - y0, cv2.BORDER_REPLICATE)
    return warped.reshape(y1 - y0, x1 - x0, channels)


BORDER_PART = 0.05
"""The soft edge at the crop's border is at least this part of the crop's side."""


def paste_weight(
    part: Layer, quad: Quad, box: Box, mask: MaskPixels | None, feather: float
) -> Floats:
    """float32 ``[h, w]`` in 0..1 over the box: 0 outside the mask, the crop and the opaque part."""
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
    if is_upright(inverse):  # each axis by itself: a hundred times less work
        across = inverse[0, 0] * x + inverse[0, 2]
        down = inverse[1, 1] * y + inverse[1, 2]
        return np.minimum(edge_weight(across, width), edge_weight(down, width))
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    along = ((inverse[row, 0] * x + inverse[row, 1] * y + inverse[row, 2]) for row in (0, 1))
    first, second = (edge_weight(part / depth, width) for part in along)
    return np.minimum(first, second)


def is_upright(inverse: Floats) -> bool:
    """Whether the quad's sides lie along the layer's."""
    others = (inverse[0, 1], inverse[1, 0], inverse[2, 0], inverse[2, 1])
    return bool(np.abs(others).max() < 1e-9) and abs(float(inverse[2, 2]) - 1.0) < 1e-6


def edge_weight(along: Floats, width: float) -> Floats:
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
