"""Regions of a picture, such as hair and clothes: what a parser of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentfu.core.names import Name

if TYPE_CHECKING:
    import torch

    Parse = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

Changes = Mapping[str, Mapping[str, float]]
"""For each control its regions, and the mean change in each of them, in levels of 0..255."""


@dataclass(frozen=True)
class RegionParser:
    """A network that tells which part of a picture is hair, skin, clothes and so on.

    ``regions``: their names, which ``--region NAME`` takes. ``domains``: of the generators whose
    crops it knows. ``load(device)`` gives a function of crops ``[N, 3, R, R]`` in -1..1 to
    probabilities ``[N, K, S, S]`` of the K regions and to how sure it is of each picture, ``[N]``
    in 0..1. A picture below ``least_surety`` is not parsed: nothing is said about it.
    ``changes()``: what controls of known names change, measured on pictures whose regions are
    true; a control that is missing there is measured on the generator's own pictures. ``things``:
    the regions that are no part of the subject, such as the background and clothes: a control acts
    there only if they change at least half as much as what changes most. ``textures``: the regions
    that keep their own texture when an edit changes their color, such as hair. ``turning``: those
    of a head, which turns as one; a ``nose``, ``eyes`` and a ``mouth`` among them say how far.
    """

    name: Name
    title: str
    domains: tuple[str, ...]
    regions: tuple[str, ...]
    load: Callable[[str], Parse]
    least_surety: float = 0.5
    changes: Callable[[], Changes] = dict
    things: tuple[str, ...] = ()
    textures: tuple[str, ...] = ()
    turning: tuple[str, ...] = ()
    licence: str = ""


MOVED_LEVELS = 60.0
"""What a region counts, in levels, that is there before or after only."""
_SMALLEST = 0.001
"""A region that fills less of a picture than this says nothing there."""


def measure_region_changes(
    pictures: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    maps: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    names: Sequence[str],
) -> dict[str, float]:
    """How much each region changes from one picture to another, in levels.

    ``pictures``: before and after, ``[S, S, 3]`` in 0..255. ``maps``: their regions, ``[S, S]``,
    numbers of ``names``. Where a pixel keeps its region its change of color counts, without fine
    structure: cloth that is shifted by a pixel has not changed. The share of pixels that lose or
    win the region counts squared, so that glasses that come count fully and clothes little over
    which longer hair falls: hair it is that changes there. Regions in neither picture are left out.
    """
    import cv2

    before, after = (np.asarray(picture, np.float32) for picture in pictures)
    sigma = max(1.0, before.shape[0] / 48)
    found = {}
    for row, name in enumerate(names):
        first, second = maps[0] == row, maps[1] == row
        either, both = first | second, (first & second).astype(np.float32)
        if either.mean() < _SMALLEST:
            continue
        weight = cv2.GaussianBlur(both, (0, 0), sigma)
        change = cv2.GaussianBlur((after - before) * both[:, :, None], (0, 0), sigma)
        levels = np.abs(change).mean(axis=2) / np.maximum(weight, 1e-3) * both
        moved = 1.0 - float(both.sum()) / float(either.sum())
        found[name] = float(levels.sum() / max(float(both.sum()), 1.0)) + MOVED_LEVELS * moved**2
    return found
