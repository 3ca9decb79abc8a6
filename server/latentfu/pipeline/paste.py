"""image -> layer: put a change made at the generator's resolution back at the layer's own.

    change = (edited - inverted) - (1 - keep) * (layer - inverted)
    out    = layer + weight * change

Where the edit moves little, ``keep`` is 1: the layer keeps all its own detail and only the
difference is added. Where the edit moves shapes, the old detail would stay as a ghost, so there
``keep`` goes to 0 and the edited picture itself is shown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.crop import visible
from latentfu.pipeline.feathering import paste_weight, smoothstep
from latentfu.pipeline.geometry import Box, Floats, box_of, crop_to_layer, shift, warp

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
    box = box_of(quad, layer.width, layer.height)
    x0, y0, x1, y1 = box
    out = layer.pixels.copy()
    if x1 <= x0 or y1 <= y0:
        return Layer(out)
    part = Layer(layer.pixels[y0:y1, x0:x1])
    weight = paste_weight(part, quad, box, mask, feather)
    change = layer_change(part, quad, box, edited, inverted)
    if layer.pixels.shape[2] == 1:
        change = gray(change)[:, :, None]
    colours = change.shape[2]
    rounded = np.rint(change * weight[:, :, None]).astype(np.int16)
    changed = np.clip(part.pixels[:, :, :colours].astype(np.int16) + rounded, 0, 255)
    out[y0:y1, x0:x1, :colours] = changed.astype(np.uint8)
    return Layer(out)


def layer_change(
    part: Layer, quad: Quad, box: Box, edited: Floats, inverted: Floats | None
) -> Floats:
    """What to add to the box of the layer, in levels: float32 ``[h, w, 3]``."""
    target = levels(edited)
    if inverted is None:
        return upsampled(target, quad, box) - visible(part)
    base = levels(inverted)
    delta = target - base
    if not np.any(delta):
        return np.zeros((part.height, part.width, 3), dtype=np.float32)
    change = upsampled(delta, quad, box)
    lost = ghosting(delta, base)
    if lost.max() > 0:
        detail = visible(part) - upsampled(base, quad, box)
        change -= np.clip(upsampled(lost[:, :, None], quad, box), 0.0, 1.0) * detail
    return change


def ghosting(delta: Floats, base: Floats) -> Floats:
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
    changed = smoothstep((blurred(np.abs(delta).max(axis=2), 2.0) - 15.0) / 30.0)
    alike = likeness(gray(base), gray(base + delta))
    other = changed * smoothstep((0.6 - alike) / 0.5)
    return np.maximum(blurred(moved, 1.0), blurred(other, 2.0))


def likeness(a: Floats, b: Floats) -> Floats:
    """Contrast and structure of two gray pictures ``[R, R]`` around each pixel, at most 1.

    The term of that name in SSIM (Wang et al. 2004), for levels 0..255.
    """
    mean_a, mean_b = blurred(a, 2.0), blurred(b, 2.0)
    spread = blurred(a * a, 2.0) - mean_a**2 + blurred(b * b, 2.0) - mean_b**2
    together = blurred(a * b, 2.0) - mean_a * mean_b
    return np.asarray((2.0 * together + 64.0) / (np.maximum(spread, 0.0) + 64.0), np.float32)


def gray(image: Floats) -> Floats:
    """``[H, W, 3]`` -> ``[H, W]``."""
    return np.asarray(image @ LUMA, dtype=np.float32)


def blurred(image: Floats, sigma: float) -> Floats:
    """A Gaussian blur of ``[R, R]``."""
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def levels(image: Floats) -> Floats:
    """``[3, R, R]`` in -1..1 -> ``[R, R, 3]`` in 0..255."""
    return np.ascontiguousarray((image.transpose(1, 2, 0) + 1.0) * 127.5, dtype=np.float32)


def upsampled(image: npt.NDArray[np.float32], quad: Quad, box: Box) -> Floats:
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
