"""The layer's own detail moved with an edit, and what to show where there is none to move.

    moved  = the layer, read where each place was before the edit (:mod:`latentfu.pipeline.motion`)
    colors = what the edit changes beside motion: the network's picture minus its moved own
    out    = kept * (moved + colors) + (1 - kept) * the network's picture, made as sharp and grainy

``colors`` come from pictures of the codes alone and are smooth; the photograph's own edges say
where they end (guided filter, He et al. 2013). Where the codes draw the layer as it is to a level
or two (a network's own picture), there is no other detail to keep: the change is taken exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Quad
from latentfu.core.layer import Layer
from latentfu.pipeline.codes_edit import CodesEdit, RegionFit
from latentfu.pipeline.crop import Floats, PixelBox, crop_to_layer, show_on_gray, translation, warp
from latentfu.pipeline.guided_filter import filter_guided
from latentfu.pipeline.head_turn import HeadTurn, find_turn, shift_picture
from latentfu.pipeline.motion import Motion, find_motion, flow_in_layer, warp_by
from latentfu.pipeline.pixel_math import (
    blur,
    find_largest,
    measure_lengths,
    smoothstep,
    to_gray,
    to_levels,
)
from latentfu.pipeline.subject_outline import bend_outline, snap_to_layer

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


def _find_tone(layer: Layer) -> Tone | None:
    """The one tone of ``layer``; None when it has colors, or is a plain color."""
    pixels = _sample_pixels(layer)
    if len(pixels) < 2:
        return None
    gray = to_gray(pixels)
    if np.ptp(np.percentile(gray, (1, 99))) < SMALLEST_RANGE:
        return None
    colors = _fit_colors(pixels, gray)
    expected = Tone(colors)._color(gray)
    missed = find_largest(pixels - expected)
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


MOST_GAIN = 3.5
LARGEST_UPSAMPLED = 2048
_FAINT, _STRONG = 6.0, 18.0
"""Levels of a fine change below which it is a network's noise, and above which it is a line."""
_LIKE, _UNLIKE = 1.5, 4.0
"""Levels by which the network's picture misses the layer where it says all of it, and where not."""
_NOTHING, _SOMETHING = 0.25, 1.75
"""Levels of change below which a place is left alone, and above which it is not."""


def compute_change(
    part: Layer,
    quad: Quad,
    box: PixelBox,
    edited: Floats,
    inverted: Floats | None,
    *,
    codes: CodesEdit | None = None,
) -> Floats:
    """What to add to the box of a layer, in levels: float32 ``[h, w, 3]``.

    Args:
        part: The layer in the box.
        quad: The crop's square.
        box: The part of the layer that it covers.
        edited: The network's picture of the edited latent, ``[3, R, R]`` in -1..1.
        inverted: Its picture of the inversion; None shows ``edited`` as it is.
        codes: The edit without what the inversion adds to its codes, where that differs.
    """
    seen = show_on_gray(part)
    if inverted is None:
        return upsample(to_levels(edited), quad, box) - seen
    if np.array_equal(edited, inverted):
        return np.zeros_like(seen)
    change = _change_with_motion(seen, quad, box, (edited, inverted), codes)
    return keep_tone(part, change)


def keep_tone(part: Layer, change: Floats) -> Floats:
    """``change [h, w, 3]`` of a part of a layer, in levels, in its one tone if it has but one."""
    tone = _find_tone(part)
    return change if tone is None else tone.limit_change(show_on_gray(part), change)


def _change_with_motion(
    seen: Floats,
    quad: Quad,
    box: PixelBox,
    pictures: tuple[Floats, Floats],
    codes: CodesEdit | None,
) -> Floats:
    """The same of what is seen in the box, ``[h, w, 3]``; ``pictures``: edited, inverted.

    Where the pictures do not change and nothing moves, the change is exactly 0.
    """
    edited, inverted = pictures
    codes = codes or CodesEdit(inverted, edited)
    motion = find_motion(codes)
    turn = find_turn(codes, motion)
    if turn is not None:
        codes, motion = turn.follow(codes), turn.motion
        edited = codes.after if turn.part < 1.0 else shift_picture(edited, turn.shift)
    elif codes.regions is not None and codes.regions.outline is not None:
        motion = bend_outline(motion, codes.regions.outline)
    zoom = quad.side / edited.shape[1]
    there = _MovedLayer.of(seen, quad, box, (codes, motion), turn)
    drawn = _find_drawn(there.missed, zoom)
    change = there.exact - there.moved
    colors = filter_guided(there.moved, change, quad.side / 24.0)
    if there.regions is not None and there.regions.lines:
        colors = _keep_lines(colors, change)
    moved = _lift_contrast(there.moved + colors, there.moved, zoom, 3.0 * zoom)
    moved = moved + drawn * (there.exact - moved)
    shown = upsample(to_levels(edited), quad, box)
    smooth = moved if there.regions is None else there.regions.uncovered
    # A far turn smears what an inversion adds to its codes; what comes has the layer's colors.
    shown = _match_sharpness(shown + there.smooth * (smooth - shown), seen, zoom)
    out = moved + (1.0 - there.kept) * (shown - moved)
    levels = measure_lengths(there.flow)[:, :, None] * 4.0
    for a, b in ((edited, inverted), (codes.after, codes.before)):
        changed = 127.5 * np.abs(a - b).max(axis=0)[:, :, None]
        levels = np.maximum(levels, upsample(changed, quad, box))
    weight = smoothstep((levels - _NOTHING) / (_SOMETHING - _NOTHING))
    return np.asarray(weight * (out - seen), np.float32)


@dataclass(frozen=True)
class _MovedLayer:
    """What is seen in the box, moved with an edit; in levels, and shares ``[h, w, 1]`` in 0..1.

    Attributes:
        flow: ``[h, w, 2]``, in layer pixels.
        moved: The layer moved, ``[h, w, 3]``.
        exact: The same with all that the codes change beside motion, ``[h, w, 3]``.
        missed: What the codes' picture, moved, misses of it, ``[h, w, 3]``.
        kept: Where the moved layer shows, and not the network's picture.
        smooth: Where that picture is drawn without what an inversion adds to its codes.
        regions: How the layer's regions lie; None where that is not known.
    """

    flow: Floats
    moved: Floats
    exact: Floats
    missed: Floats
    kept: Floats
    smooth: Floats
    regions: _SeenRegions | None

    @staticmethod
    def of(
        seen: Floats,
        quad: Quad,
        box: PixelBox,
        edit: tuple[CodesEdit, Motion],
        turn: HeadTurn | None,
    ) -> _MovedLayer:
        """``seen [h, w, 3]`` moved with the motion of an edit by the codes."""
        codes, motion = edit
        flow = flow_in_layer(upsample(motion.flow, quad, box), quad)
        kept, far = (
            np.clip(upsample(each[:, :, None], quad, box), 0.0, 1.0)
            for each in (motion.kept, motion.far)
        )
        moved = warp_by(seen, flow)
        before, after = (
            upsample(to_levels(each), quad, box) for each in (codes.before, codes.after)
        )
        if turn is None:
            exact = moved + after - warp_by(before, flow)
        else:
            way = flow_in_layer(upsample(turn.drawn, quad, box), quad)
            trust = np.clip(upsample(turn.trust[:, :, None], quad, box), 0.0, 1.0)
            exact = moved + trust * (after - warp_by(before, way))
        regions = _SeenRegions.of(codes, motion, flow, quad, box)
        if regions is not None:
            kept = np.maximum(kept, np.maximum(regions.mismatch * (1.0 - far), regions.stays))
            kept, far = kept * (1.0 - regions.comes), np.maximum(far, regions.comes)
            exact = exact + regions.more
            if regions.around is not None:
                around = warp_by(snap_to_layer(seen, regions.around, quad.side), flow)
                kept = np.maximum(kept, around[:, :, None])
                exact = exact + around[:, :, None] * (moved - exact)
        missed = moved - warp_by(before, flow)
        return _MovedLayer(flow, moved, exact, missed, kept, far, regions)


@dataclass(frozen=True)
class _SeenRegions:
    """A :class:`RegionFit` seen in the box, where things are after the edit.

    Each ``[h, w, 1]`` in 0..1; ``more`` and ``uncovered`` ``[h, w, 3]`` in levels. ``around``: what
    keeps its color around the subject, where it was before the edit.
    """

    mismatch: Floats
    stays: Floats
    comes: Floats
    more: Floats
    uncovered: Floats
    around: Floats | None
    lines: bool

    @staticmethod
    def of(
        codes: CodesEdit, motion: Motion, flow: Floats, quad: Quad, box: PixelBox
    ) -> _SeenRegions | None:
        """None where nothing is known."""
        fit = codes.regions
        if fit is None:
            return None
        mismatch, stays, comes, turned = (
            np.clip(upsample(each[:, :, None], quad, box), 0.0, 1.0)
            for each in (fit.mismatch, fit.stays, fit.comes, motion.turned)
        )
        more = upsample(to_levels(fit.carried) - to_levels(codes.before), quad, box)
        return _SeenRegions(
            mismatch=warp_by(mismatch[:, :, 0], flow)[:, :, None],
            stays=stays * turned,
            comes=comes,
            more=warp_by(more, flow),
            uncovered=upsample(to_levels(fit.uncovered), quad, box),
            around=_see_around(fit, quad, box),
            lines=fit.lines,
        )


def _see_around(fit: RegionFit, quad: Quad, box: PixelBox) -> Floats | None:
    """What keeps its color around the subject, ``[h, w, 1]`` in 0..1."""
    outline = fit.outline
    return None if outline is None else upsample(outline.around[:, :, None], quad, box)


def _keep_lines(colors: Floats, change: Floats) -> Floats:
    """``colors [h, w, 3]``, smoothed from ``change``, with what of that is fine and strong."""
    fine = change - colors
    strength = find_largest(fine)[:, :, None]
    return np.asarray(colors + smoothstep((strength - _FAINT) / (_STRONG - _FAINT)) * fine)


def _find_drawn(missed: Floats, zoom: float) -> Floats:
    """Where the codes alone draw the layer as it is: 0..1, ``[h, w, 1]``.

    There the fine part of a change belongs to the layer as well, and smoothing would lose it.

    Args:
        missed: What the picture of the codes misses of the layer, ``[h, w, 3]`` in levels.
        zoom: Layer pixels to one of the network's.
    """
    around = _strength(find_largest(missed), 3.0 * max(zoom, 0.6))
    drawn: Floats = smoothstep((_UNLIKE - around) / (_UNLIKE - _LIKE))
    return drawn[:, :, None]


def _match_sharpness(image: Floats, like: Floats, zoom: float) -> Floats:
    """``image [h, w, 3]`` with the contrast of fine structure and the grain of ``like``.

    Args:
        image: What a network drew, enlarged ``zoom`` times.
        like: The layer there.
        zoom: Layer pixels to one of the network's.
    """
    wide = 12.0 * max(zoom, 0.6)
    image = _lift_contrast(image, like, zoom, wide)
    has, wants = _measure_grain(to_gray(image), wide), _measure_grain(to_gray(like), wide)
    missing = np.sqrt(np.maximum(wants**2 - has**2, 0.0))
    noise = np.random.default_rng(0).standard_normal(missing.shape, dtype=np.float32)
    noise = _fine(noise, 0.8)
    return np.asarray(image + (missing * noise / noise.std())[:, :, None], np.float32)


def _lift_contrast(image: Floats, like: Floats, zoom: float, window: float) -> Floats:
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


def _fine(gray: Floats, sigma: float) -> Floats:
    """``gray`` without what is coarser than ``sigma`` pixels."""
    return np.asarray(gray - blur(gray, sigma), np.float32)


def _strength(fine: Floats, sigma: float) -> Floats:
    """The standard deviation of a picture of mean 0 around each pixel."""
    return np.asarray(np.sqrt(blur(fine * fine, sigma)), np.float32)


def _measure_grain(gray: Floats, sigma: float) -> Floats:
    """The standard deviation of the finest structure, edges counted little."""
    finest = np.minimum(np.abs(_fine(gray, 0.8)), 6.0)
    return np.asarray(1.25 * blur(finest, sigma), np.float32)


def upsample(image: Floats, quad: Quad, box: PixelBox) -> Floats:
    """``image [R, R, C]`` of the crop, seen in the box of the layer: ``[h, w, C]``.

    Lanczos to about the quad's size, then one warp into place.
    """
    import cv2

    resolution, channels = image.shape[0], image.shape[2]
    side = int(np.clip(round(quad.side), 1, max(LARGEST_UPSAMPLED, resolution)))
    how = cv2.INTER_LANCZOS4 if side >= resolution else cv2.INTER_AREA
    large = cv2.resize(image, (side, side), interpolation=how)
    x0, y0, x1, y1 = box
    to_box = translation(-x0, -y0) @ crop_to_layer(quad, side)
    warped = warp(large, to_box, x1 - x0, y1 - y0, cv2.BORDER_REPLICATE)
    return warped.reshape(y1 - y0, x1 - x0, channels)
