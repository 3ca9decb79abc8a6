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
    true; a control that is missing there is measured on the generator's own pictures.
    """

    name: Name
    title: str
    domains: tuple[str, ...]
    regions: tuple[str, ...]
    load: Callable[[str], Parse]
    least_surety: float = 0.5
    changes: Callable[[], Changes] = dict
    licence: str = ""


MOVED_LEVELS = 60.0
"""What a pixel counts, in levels, that belongs to a region before or after but not both."""
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
    structure: cloth that is shifted by a pixel has not changed. Where it does not, it has moved.
    Regions that are in neither picture are left out.
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
        moved = float(either.sum()) - float(both.sum())
        found[name] = float((levels.sum() + MOVED_LEVELS * moved) / either.sum())
    return found
