"""The guided filter (He et al. 2013): what is smooth gets the edges of a photograph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentfu.pipeline.crop import Floats

GUIDED_SIDE = 256
"""Its coefficients are found for so many pixels a side."""
EDGE_LEVELS = 25.0
"""A step of this many levels in the layer is an edge at which a change of color may end."""


def filter_guided(
    guide: Floats, image: Floats, radius: float, largest: int = GUIDED_SIDE
) -> Floats:
    """``image [h, w, C]`` smoothed so that its edges are those of ``guide [h, w, 3]``.

    In a window of ``radius`` pixels each color is a linear function of the guide's three (He et
    al. 2013); its coefficients are found at most at ``largest`` pixels a side (He and Sun 2015,
    arXiv 1505.00996).
    """
    import cv2

    height, width = image.shape[:2]
    factor = min(1.0, largest / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = [
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.float32).reshape(
            size[1], size[0], -1
        )
        for each in (guide, image)
    ]
    window = 2 * max(1, round(radius * factor)) + 1

    def mean(x: Floats) -> Floats:
        averaged = cv2.blur(x, (window, window), borderType=cv2.BORDER_REFLECT)
        return np.asarray(averaged, np.float32).reshape(x.shape)

    guide_mean, image_mean = mean(small[0]), mean(small[1])
    out = np.empty_like(image)
    spread = _covariances(small[0], small[0], mean)  # [h, w, 3, 3]
    spread = spread + EDGE_LEVELS**2 * np.eye(3, dtype=np.float32)
    slopes = _solve(spread, _covariances(small[0], small[1], mean))  # [h, w, 3, 3]
    shift = image_mean - np.einsum("hwgc,hwg->hwc", slopes, guide_mean)
    for channel in range(image.shape[2]):
        slope = cv2.resize(mean(np.ascontiguousarray(slopes[..., channel])), (width, height))
        offset = cv2.resize(mean(np.ascontiguousarray(shift[..., channel])), (width, height))
        out[:, :, channel] = (slope * guide).sum(axis=2) + offset
    return out


def _solve(a: Floats, b: Floats) -> Floats:
    """``x`` where ``a @ x = b``, all ``[h, w, 3, 3]``; ``a`` symmetric and far from singular.

    By cofactors: for so many small matrices several times as quick as ``np.linalg.solve``.
    """
    rows = [a[..., i, :] for i in range(3)]
    cofactors = [np.cross(rows[(i + 1) % 3], rows[(i + 2) % 3]) for i in range(3)]
    determinant = (rows[0] * cofactors[0]).sum(axis=-1)[..., None, None]
    return np.asarray(np.stack(cofactors, axis=-1) @ b / determinant, np.float32)


def _covariances(a: Floats, b: Floats, mean: Callable[[Floats], Floats]) -> Floats:
    """Of each channel of ``a`` with each of ``b``, both ``[h, w, C]``: ``[h, w, C, C]``."""
    mean_a, mean_b = mean(a), mean(b)
    rows = [
        np.stack([mean(a[..., i] * b[..., j]) for j in range(b.shape[2])], axis=-1)
        for i in range(a.shape[2])
    ]
    together = np.stack(rows, axis=-2)
    return np.asarray(together - mean_a[..., :, None] * mean_b[..., None, :], np.float32)
