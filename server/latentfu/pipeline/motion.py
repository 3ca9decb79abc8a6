"""Where each place of an edited picture comes from in the picture before the edit.

Both pictures are the network's own, so their difference is the edit alone. Dense optical flow
(DIS, Kroeger et al. 2016, arXiv 1603.03590, in OpenCV) is found in both directions; a large turn
is followed in steps, since a network draws every step between two latents. Where the two flows
disagree, or what is found does not look like what is wanted, nothing corresponds: teeth that
appear, glasses, a cheek that was covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentfu.core.crop import Quad
from latentfu.pipeline.codes_edit import MATCHED_SIDE, CodesEdit
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import (
    blur,
    compare_structure,
    find_largest,
    measure_lengths,
    smoothstep,
    to_gray,
    to_levels,
)

FAR = 0.03
"""A motion of more than this part of the side is followed in steps."""

_CONTRAST = 45.0
"""Levels of one standard deviation in the pictures that are matched."""
_RELUCTANCE = 0.06
"""How much more alike (at most 1) a place must look where the flow leads than where it is."""
_UNLIKE, _ALIKE = 0.30, 0.65
"""Likeness below which nothing corresponds, and above which all of it does."""
_AGREE, _DISAGREE = 3.0, 6.0
"""Distance in pixels of 128 by which the way there and back may miss its start."""
_STILL, _CHANGED = 8.0, 13.0
"""Change in levels below which a place stays what it is, whatever the flow says."""


@dataclass(frozen=True)
class Motion:
    """The motion of one edit, over the crop.

    Attributes:
        flow: float32 ``[S, S, 2]``: for each place of the edited picture how far away, in x and
            y and in parts of the crop's side, it was before.
        kept: float32 ``[S, S]`` in 0..1: how surely something corresponds.
        far: float32 ``[S, S]`` in 0..1: whether the place is part of a large motion.
        turned: float32 ``[S, S]`` in 0..1: how surely something corresponds whose contrast turned
            round, such as the rim of dark hair that becomes light.
    """

    flow: Floats
    kept: Floats
    far: Floats
    turned: Floats

    @property
    def reach(self) -> float:
        """The longest way of a place that corresponds, in crop sides."""
        return float(measure_lengths(self.flow * self.kept[:, :, None]).max())


def find_motion(codes: CodesEdit) -> Motion:
    """The motion from the picture before an edit to the one after it."""
    if codes.still:
        zeros = np.zeros((codes.side, codes.side), np.float32)
        return Motion(np.zeros((*zeros.shape, 2), np.float32), 1.0 - zeros, zeros, 1.0 - zeros)
    stays = None if codes.regions is None else codes.regions.stays
    motion = _match_pictures([codes.before, codes.after], codes.side, stays)
    if codes.between is None or motion.reach <= FAR:
        return motion
    inner = [codes.between(step / codes.steps) for step in range(1, codes.steps)]
    return _match_pictures([codes.before, *inner, codes.after], codes.side, stays)


def _match_pictures(
    pictures: Sequence[Floats], side: int = MATCHED_SIDE, stays: Floats | None = None
) -> Motion:
    """The motion from the first of ``pictures`` ``[3, R, R]`` to the last, step by step.

    They are matched at ``side`` pixels, larger ones shrunk to it and smaller ones enlarged.
    ``stays``: as in :class:`RegionFit`; where contrast turned round there, nothing moved.
    """
    import cv2

    unit = side / 128.0
    shown = [_resize(to_levels(picture), side) for picture in pictures]
    plain = [_normalize_contrast(to_gray(picture), side / 12.0) for picture in shown]
    flow, back = _chain_flows(plain), _chain_flows(plain[::-1])
    wanted, given = _CONTRAST * plain[-1], _CONTRAST * plain[0]
    gain = compare_structure(wanted, warp_by(given, flow)) - compare_structure(wanted, given)
    moves = smoothstep((gain - _RELUCTANCE / 2) / _RELUCTANCE)
    moves = np.clip(2.0 * blur(moves, 4.0 * unit), 0.0, 1.0)
    moves[moves < 1e-3] = 0.0
    if stays is not None:
        moves *= 1.0 - _find_turned(wanted, given, _resize(stays, side), unit)
    flow = np.asarray(flow * moves[:, :, None], np.float32)
    missed = measure_lengths(flow + warp_by(back, flow)) * moves / unit
    there = warp_by(given, flow)
    kept, turned = (
        smoothstep((compare_structure(wanted, each) - _UNLIKE) / (_ALIKE - _UNLIKE))
        for each in (there, -there)
    )
    kept *= smoothstep((_DISAGREE - missed) / (_DISAGREE - _AGREE))
    change = blur(find_largest(shown[-1] - shown[0]), unit)
    kept = np.maximum(kept, smoothstep((_CHANGED - change) / (_CHANGED - _STILL)))
    eroded = np.asarray(cv2.erode(kept, np.ones((3, 3), np.uint8)), np.float32)
    kept = blur(eroded, 1.5 * unit)
    flow /= np.float32(side)
    around = blur(measure_lengths(flow), side / 16.0)
    far = smoothstep((around - 0.012) / 0.012)
    return Motion(flow, kept, far, np.maximum(blur(turned, 1.5 * unit), kept))


def _find_turned(wanted: Floats, given: Floats, stays: Floats, unit: float) -> Floats:
    """Where contrast turned round in place, as at the rim of dark hair that becomes light.

    A flow would follow the rim to wherever dark meets light the old way round.
    """
    import cv2

    alike = compare_structure(wanted, -given) - compare_structure(wanted, given)
    turned = smoothstep(alike / _ALIKE) * smoothstep(3.0 * stays)
    around = cv2.dilate(turned, np.ones((3, 3), np.uint8), iterations=round(4 * unit))
    return np.clip(blur(np.asarray(around, np.float32), 2.0 * unit), 0.0, 1.0)


def warp_by(image: Floats, flow: Floats) -> Floats:
    """``image [H, W(, C)]`` read at each place plus ``flow [H, W, 2]`` in pixels."""
    import cv2

    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + flow[:, :, 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[:, :, 1]
    return np.asarray(
        cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def flow_in_layer(flow: Floats, quad: Quad) -> Floats:
    """``flow [..., 2]`` in crop sides along the crop's axes -> in pixels along the layer's."""
    corners = np.asarray(quad.corners, dtype=np.float32)
    axes = np.stack([corners[1] - corners[0], corners[3] - corners[0]])  # [2, 2]: a row an axis
    return np.asarray(flow @ axes, dtype=np.float32)


def _normalize_contrast(gray: Floats, sigma: float) -> Floats:
    """``gray [S, S]`` with mean 0 and standard deviation 1 around each pixel: light is no motion.

    A flat place stays flat: noise of a few levels is not enlarged.
    """
    centered = gray - blur(gray, sigma)
    spread = np.sqrt(blur(centered * centered, sigma) + 36.0)
    return np.asarray(centered / spread, np.float32)


def _chain_flows(pictures: Sequence[Floats]) -> Floats:
    """From the last of ``pictures`` back to the first, in pixels: ``[S, S, 2]``."""
    import cv2

    eight_bits = [np.clip(128.0 + _CONTRAST * p, 0, 255).astype(np.uint8) for p in pictures]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(0)
    search.setVariationalRefinementIterations(10)
    total = np.zeros((*pictures[0].shape, 2), np.float32)
    for later, earlier in zip(eight_bits[:0:-1], eight_bits[-2::-1], strict=True):
        start = np.zeros_like(total)
        step = search.calc(later, earlier, start)
        total = total + warp_by(np.asarray(step, np.float32), total)
    return total


def _resize(image: Floats, side: int) -> Floats:
    import cv2

    how = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.float32)
