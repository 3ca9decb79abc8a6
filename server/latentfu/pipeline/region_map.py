"""Which part of a crop is which region, and a soft mask of some of them in the layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentfu.core.crop import Quad
from latentfu.core.regions import Changes, RegionParser
from latentfu.pipeline.cache import LRUCache
from latentfu.pipeline.crop import Floats, PixelBox, crop_to_layer, translation, warp
from latentfu.pipeline.moved_detail import LARGEST_UPSAMPLED
from latentfu.pipeline.pixel_math import blur, make_disk, smoothstep
from latentfu.plugin_manager.running import call_plugin, refuse_result

_GROW = 0.02
"""A mask reaches so many crop sides beyond its region, where it fades."""
_FADE = 0.015
_LOW, _HIGH = 0.15, 0.6
"""Probability below which a place is outside a region, and above which it is wholly inside."""


@dataclass(frozen=True)
class RegionMap:
    """The regions of one crop.

    Attributes:
        names: Of the K regions.
        parts: float32 ``[K, S, S]``: the probability of each; they add up to 1.
        surety: How sure the parser is of the picture, 0..1.
    """

    names: tuple[str, ...]
    parts: Floats
    surety: float

    def weigh(self, names: Iterable[str]) -> Floats:
        """The probability of any of these regions: ``[S, S]``."""
        rows = [self.names.index(name) for name in names]
        return np.asarray(self.parts[rows].sum(axis=0), np.float32)

    def measure_shares(self) -> dict[str, float]:
        """The part of the crop in which each region is the likeliest."""
        best = self.parts.argmax(axis=0)
        counts = np.bincount(best.ravel(), minlength=len(self.names)) / best.size
        return {name: float(share) for name, share in zip(self.names, counts, strict=True)}


class RegionReader:
    """Parses crops on ``device``; the newest answers are kept."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: LRUCache[Callable[..., Any]] = LRUCache(4)
        self._maps: LRUCache[RegionMap] = LRUCache(32)

    def read(self, parser: RegionParser, image: Floats, key: str = "") -> RegionMap:
        """The regions of a crop ``[3, R, R]`` in -1..1; with a ``key`` it is parsed once."""
        if not key:
            return self._parse(parser, image)
        return self._maps.get_or_make((parser.name, key), lambda: self._parse(parser, image))

    def _parse(self, parser: RegionParser, image: Floats) -> RegionMap:
        import torch

        parse = self._loaded.get_or_make(
            parser.name,
            lambda: call_plugin(parser, "was loaded", lambda: parser.load(self._device)),
        )
        picture = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]

        def read() -> tuple[Floats, float]:
            with torch.no_grad():
                parts, surety = parse(picture.to(self._device))
            return parts[0].float().cpu().numpy(), float(surety[0])

        found, surety = call_plugin(parser, "read a picture", read)
        wanted = f"[{len(parser.regions)}, S, S]"
        if found.ndim != 3 or found.shape[0] != len(parser.regions):
            raise refuse_result(parser, f"{list(found.shape)}", wanted)
        if not (np.isfinite(found).all() and np.isfinite(surety)):
            raise refuse_result(parser, "probabilities that are no numbers", wanted)
        return RegionMap(parser.regions, found, surety)


def read_known_changes(parser: RegionParser) -> Changes:
    """What controls of known names change; raises PluginFailedError."""
    found = call_plugin(parser, "said what controls change", parser.changes)
    if not isinstance(found, Mapping):
        raise refuse_result(parser, found, "a mapping from controls to changes")
    return found


def fill_holes(probability: Floats, largest: float) -> Floats:
    """``probability [S, S]`` with 1 in holes of at most ``largest`` of the picture."""
    import cv2

    outside = (probability <= 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    side = probability.shape[0]
    x, y, width, height, area = stats[:, :5].T
    inner = (x > 0) & (y > 0) & (x + width < side) & (y + height < side)
    small = inner & (area <= largest * side * side)
    small[0] = False  # what is inside the region
    return np.where(small[labels], np.float32(1.0), probability)


def soften_region(probability: Floats) -> Floats:
    """A mask ``[S, S]`` from a region's probability: it covers them, and fades outside."""
    import cv2

    side = probability.shape[0]
    inside = smoothstep((probability - _LOW) / (_HIGH - _LOW))
    grown = np.asarray(cv2.dilate(inside, make_disk(_GROW, side)), np.float32)
    faded = blur(grown, max(1.0, _FADE * side))
    return np.asarray(np.where(faded < 0.02, 0.0, np.clip(faded, 0, 1)), np.float32)


def place_region(mask: Floats, quad: Quad, box: PixelBox, outside: float | None = None) -> Floats:
    """A mask ``[S, S]`` of the crop, seen in the box of the layer: ``[h, w]`` in 0..1.

    ``outside``: the value beyond the crop; None repeats its border.
    """
    import cv2

    x0, y0, x1, y1 = box
    side = int(np.clip(round(quad.side), 1, LARGEST_UPSAMPLED))
    large = cv2.resize(mask, (side, side), interpolation=cv2.INTER_CUBIC)
    to_box = translation(-x0, -y0) @ crop_to_layer(quad, side)
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    seen = warp(large, to_box, x1 - x0, y1 - y0, border)
    return np.clip(seen, 0.0, 1.0)
