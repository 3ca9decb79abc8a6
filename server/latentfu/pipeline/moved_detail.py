"""The layer's own detail moved with an edit, and what to show where there is none to move.

    moved  = the layer, read where each place was before the edit (:mod:`latentfu.pipeline.motion`)
    colors = what the edit changes beside motion: the network's picture minus its moved own
    out    = kept * (moved + colors) + (1 - kept) * the network's picture, made as sharp and grainy

``colors`` come from pictures of the codes alone and are smooth; the photograph's own edges say
where they end (guided filter, He et al. 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from latentfu.core.crop import Quad
from latentfu.pipeline.feathering import smoothstep
from latentfu.pipeline.geometry import Box, Floats
from latentfu.pipeline.motion import Motion, flow_in_layer, to_gray, to_levels, warp_by
from latentfu.pipeline.paste import upsampled

GUIDED_SIDE = 512
"""The guided filter works on at most so many pixels a side (fast guided filter, 2015)."""
EDGE_LEVELS = 25.0
"""A step of this many levels in the layer is an edge at which a change of color may end."""
MOST_GAIN = 3.5
_NOTHING, _SOMETHING = 0.25, 1.75
"""Levels of change below which a place is left alone, and above which it is not."""


@dataclass(frozen=True)
class Pictures:
    """What an edit shows, ``[3, R, R]`` in -1..1 each.

    Attributes:
        edited: The network's picture of the edited latent, with all that it carries.
        codes_before: Its picture of the inversion's codes alone.
        codes_after: The same of the edited codes.
    """

    edited: Floats
    codes_before: Floats
    codes_after: Floats


def change_layer(
    seen: Floats, quad: Quad, box: Box, pictures: Pictures, motion: Motion, *, still: Floats
) -> Floats:
    """What to add to the box of the layer, in levels: float32 ``[h, w, 3]``.

    Args:
        seen: The layer in the box, ``[h, w, 3]`` in 0..255.
        quad: The crop's square.
        box: The part of the layer that it covers.
        pictures: What the network shows.
        motion: How it moves.
        still: ``[R, R]`` in levels: how much the network's picture changes at each place; where
            that and the motion are 0, so is the change.
    """
    zoom = quad.side / pictures.edited.shape[1]
    flow = upsampled(motion.flow, quad, box)
    kept = np.clip(upsampled(motion.kept[:, :, None], quad, box), 0.0, 1.0)
    far = np.clip(upsampled(motion.far[:, :, None], quad, box), 0.0, 1.0)
    in_layer = flow_in_layer(flow, quad)
    moved = warp_by(seen, in_layer)
    before = upsampled(to_levels(pictures.codes_before), quad, box)
    after = upsampled(to_levels(pictures.codes_after), quad, box)
    colors = filter_guided(moved, after - warp_by(before, in_layer), quad.side / 24.0)
    moved = lift_contrast(moved + colors, moved, zoom, 3.0 * zoom)
    shown = upsampled(to_levels(pictures.edited), quad, box)
    shown = shown + far * (moved - shown)  # a far turn smears what an inversion adds to its codes
    shown = match_sharpness(shown, seen, zoom)
    out = moved + (1.0 - kept) * (shown - moved)
    levels = np.clip(upsampled(still[:, :, None], quad, box), 0.0, None)
    levels = np.maximum(levels, 4.0 * np.linalg.norm(in_layer, axis=2, keepdims=True))
    weight = smoothstep((levels - _NOTHING) / (_SOMETHING - _NOTHING))
    return np.asarray(weight * (out - seen), np.float32)


def match_sharpness(image: Floats, like: Floats, zoom: float) -> Floats:
    """``image [h, w, 3]`` with the contrast of fine structure and the grain of ``like``.

    Args:
        image: What a network drew, enlarged ``zoom`` times.
        like: The layer there.
        zoom: Layer pixels to one of the network's.
    """
    wide = 12.0 * max(zoom, 0.6)
    image = lift_contrast(image, like, zoom, wide)
    has, wants = _measure_grain(to_gray(image), wide), _measure_grain(to_gray(like), wide)
    missing = np.sqrt(np.maximum(wants**2 - has**2, 0.0))
    noise = np.random.default_rng(0).standard_normal(missing.shape, dtype=np.float32)
    noise = _fine(noise, 0.8)
    return np.asarray(image + (missing * noise / noise.std())[:, :, None], np.float32)


def lift_contrast(image: Floats, like: Floats, zoom: float, window: float) -> Floats:
    """``image [h, w, 3]`` with fine structure at least as strong as ``like`` has it around.

    Args:
        image: Levels 0..255.
        like: What it is compared with.
        zoom: Layer pixels to one of the network's: finer structure than that is meant.
        window: Around each place so many layer pixels count.
    """
    scale = max(zoom, 0.6)
    fine, wanted = _fine(to_gray(image), 1.1 * scale), _fine(to_gray(like), 1.1 * scale)
    gain = _strength(wanted, window) / (_strength(fine, window) + 0.3)
    gain = np.clip(gain, 1.0, MOST_GAIN)
    return np.asarray(image + ((gain - 1.0) * fine)[:, :, None], np.float32)


def filter_guided(guide: Floats, image: Floats, radius: float) -> Floats:
    """``image`` smoothed so that its edges are those of ``guide``, both ``[h, w, 3]``.

    In a window of ``radius`` pixels each color is a linear function of the guide's three (He et
    al. 2013); its coefficients are found at a smaller size (He and Sun 2015, arXiv 1505.00996).
    """
    import cv2

    height, width = image.shape[:2]
    factor = min(1.0, GUIDED_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = [
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.float32)
        for each in (guide, image)
    ]
    window = 2 * max(1, round(radius * factor)) + 1

    def mean(x: Floats) -> Floats:
        return np.asarray(cv2.blur(x, (window, window), borderType=cv2.BORDER_REFLECT), np.float32)

    guide_mean, image_mean = mean(small[0]), mean(small[1])
    out = np.empty_like(image)
    spread = _covariances(small[0], small[0], mean)  # [h, w, 3, 3]
    spread = spread + EDGE_LEVELS**2 * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(spread, _covariances(small[0], small[1], mean))  # [h, w, 3, 3]
    shift = image_mean - np.einsum("hwgc,hwg->hwc", slopes, guide_mean)
    for channel in range(image.shape[2]):
        slope = cv2.resize(mean(np.ascontiguousarray(slopes[..., channel])), (width, height))
        offset = cv2.resize(mean(np.ascontiguousarray(shift[..., channel])), (width, height))
        out[:, :, channel] = (slope * guide).sum(axis=2) + offset
    return out


def _covariances(a: Floats, b: Floats, mean: Callable[[Floats], Floats]) -> Floats:
    """Of each channel of ``a`` with each of ``b``, both ``[h, w, C]``: ``[h, w, C, C]``."""
    mean_a, mean_b = mean(a), mean(b)
    rows = [
        np.stack([mean(a[..., i] * b[..., j]) for j in range(b.shape[2])], axis=-1)
        for i in range(a.shape[2])
    ]
    together = np.stack(rows, axis=-2)
    return np.asarray(together - mean_a[..., :, None] * mean_b[..., None, :], np.float32)


def _fine(gray: Floats, sigma: float) -> Floats:
    """``gray`` without what is coarser than ``sigma`` pixels."""
    import cv2

    return np.asarray(gray - cv2.GaussianBlur(gray, (0, 0), sigma), np.float32)


def _strength(fine: Floats, sigma: float) -> Floats:
    """The standard deviation of a picture of mean 0 around each pixel."""
    import cv2

    return np.asarray(np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), sigma)), np.float32)


def _measure_grain(gray: Floats, sigma: float) -> Floats:
    """The standard deviation of the finest structure, edges counted little."""
    import cv2

    finest = np.minimum(np.abs(_fine(gray, 0.8)), 6.0)
    return np.asarray(1.25 * cv2.GaussianBlur(finest, (0, 0), sigma), np.float32)
