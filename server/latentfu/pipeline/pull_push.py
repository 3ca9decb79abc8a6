"""Pull-push: a picture that is known in places is filled in smoothly elsewhere.

The method of Gortler et al. 1996 ("The Lumigraph"): means of what is known at ever coarser scales,
and from the coarsest back, each place takes what the next coarser one has for it.
"""

from __future__ import annotations

import numpy as np

from latentfu.pipeline.crop import Floats

_NOTHING = 1e-6


def fill_smoothly(image: Floats, known: Floats) -> Floats:
    """``image [H, W, C]`` where ``known [H, W]`` (0..1) is 1, a smooth continuation where it is 0.

    Where nothing is known at all, the result is 0.
    """
    import cv2

    height, width = known.shape
    weight = known[:, :, None]
    if min(height, width) <= 2:
        mean = (image * weight).sum((0, 1)) / (weight.sum() + _NOTHING)
        return np.asarray(weight * image + (1.0 - weight) * mean, np.float32)
    size = (-(-width // 2), -(-height // 2))
    share: Floats = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32)
    half: Floats = np.asarray(
        cv2.resize(image * weight, size, interpolation=cv2.INTER_AREA), np.float32
    )
    half = half.reshape(*share.shape, -1) / (share[:, :, None] + np.float32(_NOTHING))
    coarse = cv2.resize(fill_smoothly(half, share), (width, height), interpolation=cv2.INTER_LINEAR)
    coarse = coarse.reshape(height, width, -1)
    return np.asarray(coarse + weight * (image - coarse), np.float32)
