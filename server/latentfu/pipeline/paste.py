"""image -> layer: put a change made at the generator's resolution back at the layer's own.

    out = layer + weight * change

What the change is, :mod:`latentfu.pipeline.moved_detail` says; here is where it shows: inside the
crop, the selection and what is opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from latentfu.core.crop import Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.crop import Floats, PixelBox, box_around, crop_to_layer, show_on_gray
from latentfu.pipeline.moved_detail import compute_change, keep_tone, upsample
from latentfu.pipeline.pixel_math import smoothstep, to_gray
from latentfu.pipeline.region_map import place_region
from latentfu.pipeline.region_mix import RegionMix


@dataclass(frozen=True)
class PlacedChange:
    """What is added to a layer within ``box``: float32 ``[h, w, 1 or 3]`` in levels of 8 bits."""

    box: PixelBox
    values: Floats

    def add_to(self, layer: Layer) -> Layer:
        """``layer`` with the change in it, rounded to whole levels."""
        x0, y0, x1, y1 = self.box
        out = layer.pixels.copy()
        colors = self.values.shape[2]
        rounded = np.rint(self.values).astype(np.int16)
        changed = np.clip(out[y0:y1, x0:x1, :colors].astype(np.int16) + rounded, 0, 255)
        out[y0:y1, x0:x1, :colors] = changed.astype(np.uint8)
        return Layer(out)


def place_change(
    layer: Layer,
    quad: Quad,
    edited: Floats,
    inverted: Floats | None,
    *,
    mask: MaskPixels | None = None,
    feather: float = 12.0,
    codes: CodesEdit | None = None,
    region: Floats | None = None,
) -> PlacedChange:
    """The change from ``inverted`` to ``edited`` (``[3, R, R]``, -1..1) in ``quad`` of ``layer``.

    ``inverted`` None puts the picture itself there. ``feather``: width in layer pixels of the soft
    edge, inside the mask and at the crop's border. ``codes``: the edit as the codes alone show it,
    where the inversion adds to them. ``region``: where in the crop it shows, ``[S, S]`` in 0..1.
    Alpha, and every pixel whose weight is 0, come back bit for bit when it is added.
    """

    def compute(part: Layer, box: PixelBox) -> Floats:
        return compute_change(part, quad, box, edited, inverted, codes=codes)

    return _place(layer, quad, compute, mask=mask, feather=feather, region=region)


def place_mix(
    layer: Layer,
    quad: Quad,
    mix: RegionMix,
    *,
    mask: MaskPixels | None = None,
    feather: float = 12.0,
) -> PlacedChange:
    """What puts ``mix`` into ``quad`` of ``layer``, which keeps its tone; else as
    :func:`place_change`.
    """

    def compute(part: Layer, box: PixelBox) -> Floats:
        kept = np.clip(upsample(mix.kept, quad, box), 0.0, 1.0)
        change = upsample(mix.added, quad, box) - (1.0 - kept) * show_on_gray(part)
        return keep_tone(part, change)

    return _place(layer, quad, compute, mask=mask, feather=feather)


def _place(
    layer: Layer,
    quad: Quad,
    compute: Callable[[Layer, PixelBox], Floats],
    *,
    mask: MaskPixels | None,
    feather: float,
    region: Floats | None = None,
) -> PlacedChange:
    """What ``compute`` says of the part of the layer in the quad's box, as far as it may show."""
    box = box_around(quad, layer.width, layer.height)
    x0, y0, x1, y1 = box
    colors = 1 if layer.pixels.shape[2] == 1 else 3
    if x1 <= x0 or y1 <= y0:
        return PlacedChange((0, 0, 0, 0), np.zeros((0, 0, colors), dtype=np.float32))
    part = Layer(layer.pixels[y0:y1, x0:x1])
    weight = _paste_weight(part, quad, box, mask, feather)
    if region is not None:
        weight *= place_region(region, quad, box)
    change = compute(part, box)
    if colors == 1:
        change = to_gray(change)[:, :, None]
    return PlacedChange(box, change * weight[:, :, None])


def draw_limits(
    layer: Layer,
    quad: Quad,
    *,
    mask: MaskPixels | None = None,
    feather: float = 12.0,
    region: Floats | None = None,
) -> Layer:
    """What :func:`place_change` lets through of ``mask`` and ``region``: ``[H, W, 1]``, 0..255.

    The free change (of neither) blended by it over the layer is the limited one.
    """
    everywhere = (0, 0, layer.width, layer.height)
    weight = np.ones((layer.height, layer.width), dtype=np.float32)
    if mask is not None:
        weight = _mask_weight(mask, everywhere, feather)
    if region is not None:
        x0, y0, x1, y1 = box = box_around(quad, layer.width, layer.height)
        placed = np.zeros_like(weight)
        if x1 > x0 and y1 > y0:
            placed[y0:y1, x0:x1] = place_region(region, quad, box)
        weight = weight * placed
    return Layer(np.rint(255.0 * weight).astype(np.uint8)[:, :, None])


BORDER_PART = 0.05
"""The soft edge at the crop's border is at least this part of the crop's side."""


def _paste_weight(
    part: Layer, quad: Quad, box: PixelBox, mask: MaskPixels | None, feather: float
) -> Floats:
    """float32 ``[h, w]`` in 0..1 over the box: 0 outside the mask, the crop and the opaque part."""
    weight = _border_weight(quad, box, feather)
    if mask is not None:
        weight *= _mask_weight(mask, box, feather)
    if part.has_alpha:
        weight *= part.pixels[:, :, 3].astype(np.float32) / 255.0
    return weight


def _border_weight(quad: Quad, box: PixelBox, feather: float) -> Floats:
    """1 inside the quad, falling smoothly to 0 at its border, 0 beyond."""
    x0, y0, x1, y1 = box
    inverse = np.linalg.inv(crop_to_layer(quad, 1.0)).astype(np.float32)
    width = min(max(feather / quad.side, BORDER_PART), 0.5)
    x = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)
    y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5))[:, None]
    if _is_upright(inverse):  # each axis by itself: a hundred times less work
        across = inverse[0, 0] * x + inverse[0, 2]
        down = inverse[1, 1] * y + inverse[1, 2]
        return np.minimum(_edge_weight(across, width), _edge_weight(down, width))
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    along = ((inverse[row, 0] * x + inverse[row, 1] * y + inverse[row, 2]) for row in (0, 1))
    first, second = (_edge_weight(part / depth, width) for part in along)
    return np.minimum(first, second)


def _is_upright(inverse: Floats) -> bool:
    """Whether the quad's sides lie along the layer's."""
    others = (inverse[0, 1], inverse[1, 0], inverse[2, 0], inverse[2, 1])
    return bool(np.abs(others).max() < 1e-9) and abs(float(inverse[2, 2]) - 1.0) < 1e-6


def _edge_weight(along: Floats, width: float) -> Floats:
    """Weight by one axis, on which the crop spans 0..1."""
    nearest = np.minimum(along, 1 - along)
    return smoothstep(nearest / np.float32(width))


def _mask_weight(mask: MaskPixels, box: PixelBox, feather: float) -> Floats:
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
