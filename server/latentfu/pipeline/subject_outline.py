"""The outline of a photograph's subject, which stays where an edit adds and takes nothing.

A network's hair and cheeks end a little elsewhere than the photograph's, and in a soft edge. What
an edit changes there would show as a glow around the head, or as a thin line beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from latentfu.pipeline.codes_edit import SubjectOutline
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.guided_filter import filter_guided
from latentfu.pipeline.motion import Motion
from latentfu.pipeline.pixel_math import blur, smoothstep
from latentfu.pipeline.preview import resize_share

_NEAR = 0.025
"""So near the outline, in crop sides, the photograph's own pixels stand for the network's."""
_REACHED = 0.035
"""So far beyond it, in crop sides, something is pulled along."""
_SNAP = 0.02
"""The radius, in crop sides, in which an outline is looked for in the layer."""
_SNAP_SIDE = 144
"""Pixels a side for which it is; the layer's own say the rest."""
_INSIDE, _OUTSIDE = 0.3, 0.8
"""The share of the background below which a pixel is the subject's, and above which it is not."""


def bend_outline(motion: Motion, outline: SubjectOutline) -> Motion:
    """A motion that takes what is close around the subject along, as if it were drawn on rubber.

    A network moves an ear and uncovers what it drew behind; a photograph shows nothing there. So
    near the outline the photograph's own pixels are pulled along, and none of the network's shows,
    but where the edit adds a part to the subject or takes one.
    """
    import cv2

    side = motion.flow.shape[0]
    outside, drawn, change = (
        resize_share(each, side) for each in (outline.outside, outline.drawn, outline.change)
    )
    free = (1.0 - change)[:, :, None]
    beyond = (outside > 0.5).astype(np.uint8)
    far_in, far_out = (
        np.asarray(cv2.distanceTransform(each, cv2.DIST_L2, 5), np.float32) / side
        for each in (1 - beyond, beyond)
    )
    inside = 1.0 - beyond.astype(np.float32)
    weight = blur(inside, _NEAR / 2 * side)[:, :, None] + 1e-4
    along = blur(motion.flow * inside[:, :, None], _NEAR / 2 * side) / weight
    along *= (1.0 - smoothstep(far_out / _REACHED))[:, :, None]
    at_edge = np.maximum(1.0 - smoothstep(far_in / _NEAR), drawn)[:, :, None] * free
    flow = motion.flow + at_edge * (along - motion.flow)
    kept = np.maximum(motion.kept, at_edge[:, :, 0])
    return replace(motion, flow=np.asarray(flow, np.float32), kept=np.asarray(kept, np.float32))


def snap_to_layer(seen: Floats, around: Floats, side: float) -> Floats:
    """Where a layer shows what is around its subject, by its own edges: ``[h, w]`` in 0..1.

    Args:
        seen: The layer, ``[h, w, 3]`` in levels.
        around: The same about, ``[h, w, 1]`` in 0..1.
        side: Of the crop in layer pixels.
    """
    sharp = filter_guided(seen, around, max(2.0, _SNAP * side), _SNAP_SIDE)[:, :, 0]
    return smoothstep((sharp - _INSIDE) / (_OUTSIDE - _INSIDE))
