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
    ``edited`` as it is where nothing exceeds. What is taken back is smooth, and found at the
    maps' size.
    """
    first, second = (each.parts for each in maps)  # [K, S, S]
    side = first.shape[-1]
    before, after = (resize_picture(each, side) for each in (inverted, edited))
    excess, weight = np.zeros_like(after), np.full(after.shape[1:], 1e-3, np.float32)
    for row, name in enumerate(maps[0].names):
        if min(first[row].mean(), second[row].mean()) < _LEAST_SHARE:
            continue
        shift = average_region(after, second[row]) - average_region(before, first[row])
        levels = 127.5 * np.abs(shift).mean(axis=0)
        limit = allowed.get(name, 0.0) + SPARE_LEVELS
        beyond = np.maximum(0.0, 1.0 - limit / np.maximum(levels, 1e-6))
        excess += shift * beyond * second[row]
        weight += second[row]
    if not excess.any():
        return edited
    soft = _blur_planes(np.concatenate([excess, weight[None]]), _SOFT * side)
    return np.asarray(edited - resize_picture(soft[:3] / soft[3:], edited.shape[-1]), np.float32)


def average_region(picture: Floats, weight: Floats) -> Floats:
    """The color of a region around each place ``[3, S, S]``, from further off where it is not near.

    ``picture [3, S, S]``; ``weight [S, S]``: how surely a place is of the region.

    The color counts, not the structure: wrinkles are no change of color.
    """
    side = weight.shape[-1]
    planes = np.concatenate([picture * weight, weight[None]])
    near, far = (_blur_planes(planes, part * side) for part in (_AROUND, _FAR))
    sums = near + 1e-2 * far
    return np.asarray(sums[:3] / (sums[3:] + 1e-6), np.float32)


def _blur_planes(planes: Floats, sigma: float) -> Floats:
    """``[C, S, S]``, each plane blurred."""
    return np.moveaxis(blur(np.moveaxis(planes, 0, -1), sigma), -1, 0)
