"""The color of a region moves only as far as its controls are known to move it.

In a picture of another kind than its own a network drags colors along: a younger face turns
orange. What each control does to the color of each region is measured on pictures whose regions
are true (`RegionParser.changes`); what goes beyond it is taken back, structure stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from latentfu.core.control import Control
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import blur
from latentfu.pipeline.preview import resize_picture
from latentfu.pipeline.region_map import RegionMap

SPARE_LEVELS = 2.0
"""Levels that every region may move beside what is measured."""
_AROUND = 1 / 12
"""Sigma within which the color of a region is taken, in crop sides."""
_FAR = 1 / 4
"""The same where a region comes to a place from further off: a background that is uncovered."""
_SOFT = 1 / 60
"""Sigma of the borders between regions in what is taken back."""
_LEAST_SHARE = 1e-4


def allow_shifts(
    moves: Iterable[tuple[Control, float]], changes: Mapping[str, Mapping[str, float]]
) -> dict[str, float] | None:
    """Levels by which each region may change color under controls of these strengths.

    ``changes``: levels by control and region, for half a control's range, as a parser tells them;
    a region that is missing there stays as it was. None where a control is not known.
    """
    allowed: dict[str, float] = {}
    for control, strength in moves:
        known = changes.get(control.name)
        if known is None:
            return None
        half = max(abs(control.maximum), abs(control.minimum)) / 2
        for region, levels in known.items():
            allowed[region] = allowed.get(region, 0.0) + levels * abs(strength) / half
    return allowed


def limit_shifts(
    edited: Floats,
    inverted: Floats,
    maps: tuple[RegionMap, RegionMap],
    allowed: Mapping[str, float],
) -> Floats:
    """``edited [3, R, R]`` (-1..1), the color of each region changed at most as allowed.

    ``maps``: the regions of the inverted and of the edited picture. Where a region comes to, such
    as the background beside a head that turned, it takes the color that it had nearby.
    ``edited`` as it is where nothing exceeds.
    """
    side = edited.shape[-1]
    first, second = (resize_picture(each.parts, side) for each in maps)  # [K, R, R]
    excess, weight = np.zeros_like(edited), np.full(edited.shape[1:], 1e-3, np.float32)
    for row, name in enumerate(maps[0].names):
        if min(first[row].mean(), second[row].mean()) < _LEAST_SHARE:
            continue
        shift = _average(edited, second[row], side) - _average(inverted, first[row], side)
        levels = 127.5 * np.abs(shift).mean(axis=0)
        limit = allowed.get(name, 0.0) + SPARE_LEVELS
        beyond = np.maximum(0.0, 1.0 - limit / np.maximum(levels, 1e-6))
        excess += shift * beyond * second[row]
        weight += second[row]
    sigma = _SOFT * side
    smooth = np.stack([blur(part, sigma) for part in excess]) / blur(weight, sigma)
    return np.asarray(edited - smooth, np.float32) if smooth.any() else edited


def _average(picture: Floats, weight: Floats, side: int) -> Floats:
    """The color of a region around each place ``[3, R, R]``, from further off where it is not near.

    The color counts, not the structure: wrinkles are no change of color.
    """
    total, sums = np.full(weight.shape, 1e-6, np.float32), np.zeros_like(picture)
    for sigma, share in ((_AROUND * side, 1.0), (_FAR * side, 1e-2)):
        total += share * blur(weight, sigma)
        sums += share * np.stack([blur(part * weight, sigma) for part in picture])
    return np.asarray(sums / total, np.float32)
