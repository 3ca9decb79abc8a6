"""Photographs of one tone stay of one tone: black and white, sepia, cyanotype.

A network draws in color. In a picture whose color follows from its brightness alone, the change
that an edit makes is brightness alone, and its color is the one that the picture has there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentfu.core.layer import Layer
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import to_gray

LARGEST_SPREAD = 10.0
"""Levels by which a pixel may miss the color of its brightness, for 99 of 100 pixels."""
SMALLEST_RANGE = 24.0
"""Levels of brightness that a picture must span: a plain color says nothing."""
_MOST_PIXELS = 250_000
_BINS = 64


@dataclass(frozen=True)
class Tone:
    """The color of each brightness: float32 ``[256, 3]``, in levels."""

    colors: Floats

    def limit_change(self, seen: Floats, change: Floats) -> Floats:
        """``change [h, w, 3]`` of ``seen``, in levels, so that what comes out has this tone."""
        before = to_gray(seen)
        return np.asarray(self._color(before + to_gray(change)) - self._color(before), np.float32)

    def _color(self, gray: Floats) -> Floats:
        places = np.arange(256, dtype=np.float32)
        channels = [np.interp(gray, places, self.colors[:, channel]) for channel in range(3)]
        return np.asarray(np.stack(channels, axis=-1), np.float32)


def find_tone(layer: Layer) -> Tone | None:
    """The one tone of ``layer``; None when it has colors, or is a plain color."""
    pixels = _sample_pixels(layer)
    if len(pixels) < 2:
        return None
    gray = to_gray(pixels)
    if np.ptp(np.percentile(gray, (1, 99))) < SMALLEST_RANGE:
        return None
    colors = _fit_colors(pixels, gray)
    expected = Tone(colors)._color(gray)
    missed = np.abs(pixels - expected).max(axis=-1)
    return Tone(colors) if np.percentile(missed, 99) <= LARGEST_SPREAD else None


def _sample_pixels(layer: Layer) -> Floats:
    """Some of the layer's visible colors: float32 ``[N, 3]``."""
    pixels: npt.NDArray[np.uint8] = layer.rgb().reshape(-1, 3)
    if layer.has_alpha:
        pixels = pixels[layer.pixels[:, :, 3].ravel() > 0]
    return pixels[:: max(1, len(pixels) // _MOST_PIXELS)].astype(np.float32)


def _fit_colors(pixels: Floats, gray: Floats) -> Floats:
    """The mean color of each brightness, straight lines between: float32 ``[256, 3]``."""
    if np.abs(pixels - gray[:, None]).max() <= 1.0:  # plain gray: exactly that
        return np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, axis=1)
    bins = np.minimum((gray * (_BINS / 256.0)).astype(np.int64), _BINS - 1)
    count = np.bincount(bins, minlength=_BINS).astype(np.float64)
    there = count > 0
    places = np.bincount(bins, gray, _BINS)[there] / count[there]
    lift = [
        np.bincount(bins, pixels[:, channel] - gray, _BINS)[there] / count[there]
        for channel in range(3)
    ]
    levels = np.arange(256, dtype=np.float64)
    colors = [levels + np.interp(levels, places, each) for each in lift]
    return np.clip(np.stack(colors, axis=-1), 0.0, 255.0).astype(np.float32)
