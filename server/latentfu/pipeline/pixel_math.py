"""Arithmetic on pictures that the steps of the pipeline share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.pipeline.crop import Floats

LUMA = np.array((0.299, 0.587, 0.114), dtype=np.float32)


def to_gray(image: Floats) -> Floats:
    """``[..., 3]`` -> ``[...]``."""
    return np.asarray(image @ LUMA, dtype=np.float32)


def to_levels(image: Floats) -> Floats:
    """``[3, R, R]`` in -1..1 -> ``[R, R, 3]`` in 0..255."""
    return np.ascontiguousarray((image.transpose(1, 2, 0) + 1.0) * 127.5, dtype=np.float32)


def measure_lengths(vectors: Floats) -> Floats:
    """Of ``[..., C]``: ``[...]``. Quicker than ``np.linalg.norm`` for a few channels."""
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", vectors, vectors)), np.float32)


def find_largest(image: Floats) -> Floats:
    """The absolute value of the largest channel of ``[..., C]``: ``[...]``."""
    channels = np.abs(np.moveaxis(image, -1, 0))
    largest: Floats = np.maximum.reduce(list(channels))
    return largest


WIDE_BLUR = 6.0
"""A blur of more pixels than this is made on a picture scaled down: many times less work."""


def blur(image: Floats, sigma: float) -> Floats:
    """A Gaussian blur of ``[H, W(, C)]``; a wide one is right to about a hundredth."""
    import cv2

    factor = int(2.0 * sigma / WIDE_BLUR)
    height, width = image.shape[:2]
    if factor < 2 or min(height, width) < 4 * factor:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)
    size = (-(-width // factor), -(-height // factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def compare_structure(a: Floats, b: Floats) -> Floats:
    """Contrast and structure of two gray pictures ``[H, W]`` around each pixel, at most 1.

    The term of that name in SSIM (Wang et al. 2004), for levels 0..255.
    """
    mean_a, mean_b = blur(a, 2.0), blur(b, 2.0)
    spread = blur(a * a, 2.0) - mean_a**2 + blur(b * b, 2.0) - mean_b**2
    together = blur(a * b, 2.0) - mean_a * mean_b
    return np.asarray((2.0 * together + 64.0) / (np.maximum(spread, 0.0) + 64.0), np.float32)


def smoothstep(x: npt.NDArray[Any]) -> Floats:
    """0 below 0, 1 above 1, smooth in between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), dtype=np.float32)


def make_disk(radius: float, side: int) -> npt.NDArray[Any]:
    """A round kernel to dilate by ``radius``, in parts of ``side`` pixels, by one at least."""
    import cv2

    width = 2 * max(1, round(radius * side)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
