"""A head that turns in a photograph: its outline stays, and the face moves within it.

An aligned network keeps the eyes in place and swings the rest of the head round them, into what
its own pictures show behind. A photograph shows nothing there. So the motion is taken the other
way round: by as much as the outline went, the face goes, and the less of it the nearer the
outline, as on a dome. Every pixel is the photograph's own, and nothing is uncovered. (The dome is
the inflated silhouette of sketched 3D models: Igarashi et al. 1999, "Teddy".)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.motion import FAR, Motion, warp_by
from latentfu.pipeline.pixel_math import blur, smoothstep
from latentfu.pipeline.preview import resize_share

_LEAST = 0.015
"""Of the crop's side: an outline that goes less far does not turn."""
_RELIEF = 0.05
"""A nose goes at least this part of the way further than the eyes when a head turns."""
_STEEPEST = 0.7
"""How much closer together or further apart a motion may bring what it moves, at most 1."""
_EDGE = 0.008
"""So near the outline, in crop sides, nothing moves: hair is soft there."""
_SOFT = 0.02
_RIGID = 0.045
"""Sigma, in crop sides: what is smaller, such as the tip of a nose, keeps its shape."""
_HIGH = 0.2
_FOLLOWED = 0.45
"""A turn of which the layer follows less than this part is drawn less far, too."""
_TRUSTED = 0.045
"""So far within the face, in crop sides, the network's own picture of it counts."""


@dataclass(frozen=True)
class HeadTurn:
    """A turn as the layer makes it, over the crop.

    Attributes:
        motion: In place of the network's own.
        shift: float32 ``[S, S, 2]``: for each place how far away, in crop sides, the network's
            picture after the edit shows the same.
        drawn: float32 ``[S, S, 2]``: for each place how far away the network's picture before the
            edit shows what that after it does, shifted.
        trust: float32 ``[S, S]`` in 0..1: where the network's pictures count beside the motion.
        part: Of the edit, in 0..1: so far it is drawn, where the layer cannot follow all of it.
    """

    motion: Motion
    shift: Floats
    drawn: Floats
    trust: Floats
    part: float = 1.0

    def follow(self, codes: CodesEdit) -> CodesEdit:
        """The edit by the codes as the layer makes it, where it is trusted."""
        after = codes.after
        if self.part < 1.0 and codes.between is not None:
            after = codes.between(self.part)
        return replace(codes, after=shift_picture(after, self.shift), regions=None)


def find_turn(codes: CodesEdit, motion: Motion) -> HeadTurn | None:
    """The turn that an edit's motion is; None where no head turns, or none is known."""
    outlines = None if codes.regions is None else codes.regions.outlines
    if outlines is None or motion.reach <= FAR:
        return None
    side = motion.flow.shape[0]
    shapes = {name: resize_share(each, side) for name, each in vars(outlines).items()}
    swing = _find_swing(motion, shapes)
    if not swing.any():
        return None
    dome = _raise_dome(shapes["own"])
    steep = float(np.hypot(*np.gradient(dome, 1.0 / side)).max()) * float(np.hypot(*swing))
    followed = min(1.0, _STEEPEST / max(steep, 1e-6))
    part = 1.0 if codes.between is None else min(1.0, followed / _FOLLOWED) ** 2
    swing = swing * followed
    shift = np.asarray(dome[:, :, None] * swing, np.float32)  # [S, S, 2]
    pixels = shift * side
    faces = [warp_by(shapes[name], pixels) for name in ("own_face", "face")]
    trust = _find_trusted(np.minimum(*faces), dome, side)
    inner = part * warp_by(motion.flow, pixels)
    found = np.clip(warp_by(motion.kept, pixels), 0.0, 1.0)
    drawn = np.asarray(shift + inner, np.float32)
    inner = _smooth_sure(inner, trust * found, _RIGID * side) * trust[:, :, None]
    kept = np.asarray(1.0 - trust * (1.0 - found), np.float32)
    flow = np.asarray(shift + inner, np.float32)
    turned = replace(motion, flow=flow, kept=kept, far=np.zeros_like(kept), turned=kept)
    return HeadTurn(turned, shift, drawn, trust, part)


def shift_picture(picture: Floats, shift: Floats) -> Floats:
    """``picture [3, R, R]`` read at each place plus ``shift [S, S, 2]`` in sides."""
    import cv2

    side = picture.shape[-1]
    pixels = np.asarray(cv2.resize(shift, (side, side)), np.float32) * side
    read = warp_by(np.ascontiguousarray(picture.transpose(1, 2, 0)), pixels)
    return np.ascontiguousarray(read.transpose(2, 0, 1))


def _find_swing(motion: Motion, shapes: dict[str, Floats]) -> Floats:
    """How far the outline went, in crop sides along x and y; 0 along what no head turned.

    A nose shows that a head turns: it goes further than eyes and mouth, against the outline. Hair
    that grows moves the outline alone.
    """
    side = motion.flow.shape[0]
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side
    mouth = float((shapes["level"] * rows).sum() / max(float(shapes["level"].sum()), 1e-6))
    above = rows < mouth + 0.1  # longer hair lies below
    centers = []
    for name in ("before", "after"):
        weight = shapes[name] * above
        total = max(float(weight.sum()), 1e-6)
        centers.append(np.array([(weight * columns).sum(), (weight * rows).sum()]) / total)
    swing = np.asarray(centers[1] - centers[0], np.float32)
    stands_out = _mean_flow(motion, shapes["nose"]) - _mean_flow(motion, shapes["level"])
    turns = (np.abs(swing) >= _LEAST) & (stands_out * np.sign(swing) >= _RELIEF * np.abs(swing))
    return np.asarray(np.where(turns, swing, 0.0), np.float32)


def _mean_flow(motion: Motion, where: Floats) -> Floats:
    weight = where * motion.kept
    total = max(float(weight.sum()), 1e-6)
    return np.asarray((motion.flow * weight[:, :, None]).sum((0, 1)) / total, np.float32)


def _raise_dome(own: Floats) -> Floats:
    """0 outside of the head and at its outline, rising to 1 within: ``[S, S]``.

    What lies beyond the crop does not move, so its border is an outline too.
    """
    import cv2

    side = own.shape[0]
    inside = (own > 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    if len(stats) < 2:
        return np.zeros_like(own)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    padded = np.pad((labels == largest).astype(np.uint8), 1)
    far = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] / side
    far = np.maximum(far - _EDGE, 0.0)
    part = np.clip(far / max(float(far.max()), 1e-6), 0.0, 1.0)
    dome = blur(np.asarray(1.0 - (1.0 - part) ** 2, np.float32), _SOFT * side)
    near = smoothstep(far / (2.0 * _SOFT))  # the blur must not carry it over the outline
    return np.asarray(dome * near, np.float32)


def _find_trusted(face: Floats, dome: Floats, side: int) -> Floats:
    """Well within the network's face and the layer's head: ``[S, S]`` in 0..1."""
    import cv2

    within = ((face > 0.5) & (dome > _HIGH)).astype(np.uint8)
    far = cv2.distanceTransform(np.pad(within, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / side
    trust = blur(smoothstep(far / _TRUSTED), _SOFT * side)
    return np.asarray(np.minimum(trust, np.clip(dome / _HIGH, 0.0, 1.0)), np.float32)


def _smooth_sure(flow: Floats, sure: Floats, sigma: float) -> Floats:
    """``flow [S, S, 2]`` averaged over where it is sure."""
    weight = blur(sure, sigma) + 1e-3
    return np.asarray(blur(flow * sure[:, :, None], sigma) / weight[:, :, None], np.float32)
