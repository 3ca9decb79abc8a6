"""Where the codes draw another region than the layer shows, and what an edit means there.

A code near the network's own people has their hair, not the photograph's: where the layer shows
background the codes may draw hair, and the other way round. What the codes change at such a place
was not meant for it. The layer's region there takes the color that the same region takes nearby,
and its own pixels stay.
"""

from __future__ import annotations

import numpy as np

from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import blur
from latentfu.pipeline.preview import resize_picture
from latentfu.pipeline.region_colors import average_region
from latentfu.pipeline.region_map import RegionMap

_LARGE = 0.04
"""Regions of less than this part of the crop, such as lips, lie within others: they may move."""
_LEAST = 1e-3
"""A region of less than this part of a crop has no color to take."""
_SOFT = 0.012
"""Sigma of the border of a mismatch, in crop sides."""


def find_mismatch(own: RegionMap, drawn: RegionMap) -> Floats:
    """How surely the layer shows another large region than the codes: ``[S, S]`` in 0..1."""
    shares = np.maximum(own.parts.mean((1, 2)), drawn.parts.mean((1, 2)))
    large = shares >= _LARGE
    first, second = own.parts[large], drawn.parts[large]  # [L, S, S]
    apart = first.sum(0) * second.sum(0) - (first * second).sum(0)
    return np.clip(blur(apart, _SOFT * apart.shape[-1]), 0.0, 1.0)


def find_staying(before: RegionMap, after: RegionMap, names: tuple[str, ...]) -> Floats:
    """How surely a place is of the same one of these regions in both: ``[S, S]`` in 0..1."""
    rows = [before.names.index(name) for name in names]
    return np.asarray((before.parts[rows] * after.parts[rows]).sum(0), np.float32)


def carry_colors(
    pictures: tuple[Floats, Floats],
    maps: tuple[RegionMap, RegionMap],
    own: RegionMap,
    mismatch: Floats,
) -> Floats:
    """What an edit changes beside what the codes show, ``[3, S, S]`` (-1..1), where they mismatch.

    Args:
        pictures: of the codes, before and after the edit, ``[3, R, R]``.
        maps: their regions.
        own: the layer's.
        mismatch: as :func:`find_mismatch` gives it.
    """
    side = mismatch.shape[-1]
    before, after = (resize_picture(each, side) for each in pictures)
    meant = np.zeros_like(before)
    for row in range(len(own.parts)):
        ends = average_region(before, maps[0].parts[row]), average_region(after, maps[1].parts[row])
        meant += own.parts[row] * (ends[1] - ends[0])
    return np.asarray(mismatch * (meant - (after - before)), np.float32)


def recolor_regions(picture: Floats, parts: RegionMap, layer: Floats, own: RegionMap) -> Floats:
    """What the codes draw, each region in the color that the layer has for it: ``[3, R, R]``.

    For places that a turned head uncovers: the codes' own hair would not match the layer's.

    Args:
        picture: of the codes, ``[3, R, R]`` in -1..1.
        parts: its regions.
        layer: the layer's crop, ``[3, R, R]``.
        own: its regions.
    """
    side = parts.parts.shape[-1]
    drawn, seen = (resize_picture(each, side) for each in (picture, layer))
    shift = np.zeros_like(drawn)
    for row in range(len(own.parts)):
        if own.parts[row].mean() < _LEAST or parts.parts[row].mean() < _LEAST:
            continue
        ends = average_region(drawn, parts.parts[row]), average_region(seen, own.parts[row])
        shift += parts.parts[row] * (ends[1] - ends[0])
    return np.asarray(picture + resize_picture(shift, picture.shape[-1]), np.float32)
