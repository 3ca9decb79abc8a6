"""Previews: the network's own shorter way, made to fit the whole, and the layer scaled down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import find_largest
from latentfu.pipeline.render import Rendered, show_codes
from latentfu.plugin_manager.running import call_plugin, refuse_result

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent

LARGE = 1024
"""Of smaller networks as many pixels are drawn as of one of this size: they take less time."""
MATCHED = 128
"""Quick pictures are matched at this side: half of what whole ones are, a quarter of the work."""
MOVES = 0.5
"""A change of the picture (which spans 2) that is this rough takes the old edges away."""


def render_quick(generator: Generator, latent: Latent, side: int) -> Floats:
    """``Generator.preview`` of one latent as float32 ``[3, S, S]``, not clipped."""
    import torch

    with torch.no_grad():
        small = call_plugin(generator, "drew quickly", lambda: generator.preview(latent, side))
        if not isinstance(small, torch.Tensor) or small.ndim != 4 or small.shape[1] != 3:
            raise refuse_result(generator, small, "a picture [1, 3, S, S]")
        picture: Floats = small[0].detach().cpu().float().numpy()
    return np.nan_to_num(picture)


def choose_side(resolution: int, shown: int, times: int) -> int:
    """The side of a quick picture that is ``times`` smaller than the network's ``resolution``.

    Not larger than the ``shown`` pixels, and of a small network not smaller than of a large one.
    """
    return min(shown, resolution, max(resolution, LARGE) // times)


def fit_picture(whole: Floats, before: Floats, after: Floats, side: int) -> tuple[Floats, Floats]:
    """What ``after`` would look like whole, and ``whole`` itself: ``[3, side, side]``, -1..1.

    ``whole [3, R, R]`` shows what ``before [3, S, S]`` shows quickly, S <= side <= R. Colors that
    the short way has otherwise are fitted by least squares; what it lacks is taken from ``whole``,
    the sharpness too where nothing moves: without a change the picture is exact.
    """
    return _add_change(whole, _fit_change(whole, before, after), side), resize_picture(whole, side)


def _fit_change(whole: Floats, before: Floats, after: Floats) -> Floats:
    """The change from ``before`` to ``after [3, S, S]`` in the colors of ``whole [3, R, R]``."""
    small = resize_picture(whole, before.shape[-1])
    x = before.reshape(3, -1) - before.reshape(3, -1).mean(axis=1, keepdims=True)
    y = small.reshape(3, -1) - small.reshape(3, -1).mean(axis=1, keepdims=True)
    spread = x @ x.T
    spread += 1e-3 * np.eye(3) * max(float(np.trace(spread)), 1e-6)
    colors = np.linalg.solve(spread, x @ y.T).T  # [3, 3]
    change = colors @ (after - before).reshape(3, -1)
    return np.asarray(change.reshape(before.shape), dtype=np.float32)


def _add_change(whole: Floats, change: Floats, side: int) -> Floats:
    """``whole [3, R, R]`` with a ``change [3, S, S]``, at ``side``; as sharp where all is still."""
    small = resize_picture(whole, change.shape[-1])
    sharpness = resize_picture(whole, side) - resize_picture(small, side)  # only in the larger
    still = resize_picture(_measure_stillness(change), side)
    edited = resize_picture(small + change, side) + sharpness * still
    return np.asarray(np.clip(edited, -1.0, 1.0), dtype=np.float32)


def show_quick(
    generator: Generator,
    latents: tuple[Latent, Latent],
    pictures: tuple[Floats, Floats, Floats],
    side: int,
) -> Rendered:
    """An edit from quick pictures, and its motion from the codes as in the whole pictures.

    Args:
        generator: Draws them.
        latents: Before and after the edit, without feature offsets.
        pictures: The whole picture with and without the offsets, ``[3, R, R]``, and the quick one
            without, ``[3, S, S]``: all before the edit.
        side: Of what comes out, S..R.
    """
    whole, codes, base = pictures
    before, after = latents
    drawn = base.shape[-1]

    def fit(latent: Latent) -> Floats:
        return _fit_change(codes, base, render_quick(generator, latent, drawn))

    change = fit(after)
    edited, inverted = _add_change(whole, change, side), resize_picture(whole, side)
    ends = resize_picture(codes, side), _add_change(codes, change, side)

    def show(latent: Latent) -> Floats:
        return _add_change(codes, fit(latent), side)

    shown = show_codes(before, after, ends, show)
    return edited, inverted, None if shown is None else replace(shown, side=MATCHED, steps=3)


def _measure_stillness(change: Floats) -> Floats:
    """Where the edges of a picture stay under a ``change [3, S, S]``: ``[1, S, S]`` in 0..1.

    New colors leave edges where they are, and so change smoothly; what moves or comes does not.
    """
    import cv2

    plain = change.transpose(1, 2, 0)
    rough = find_largest(plain - cv2.GaussianBlur(plain, (0, 0), 2.0))
    around = cv2.dilate(rough, np.ones((3, 3), np.uint8))
    still = np.clip(1.0 - around / MOVES, 0.0, 1.0)[None]  # [1, S, S]
    return np.asarray(still, dtype=np.float32)


def resize_picture(picture: Floats, side: int) -> Floats:
    """A picture ``[C, S, S]`` as ``[C, side, side]``: averaged when smaller, smooth when larger."""
    import cv2

    if picture.shape[-1] == side:
        return picture
    way = cv2.INTER_AREA if side < picture.shape[-1] else cv2.INTER_CUBIC
    found = cv2.resize(picture.transpose(1, 2, 0), (side, side), interpolation=way)
    return np.asarray(np.atleast_3d(found).transpose(2, 0, 1), dtype=np.float32)


def resize_share(share: Floats, side: int) -> Floats:
    """``share [S, S]`` as ``[side, side]``, in 0..1: :func:`resize_picture` may overshoot."""
    return np.asarray(np.clip(resize_picture(share[None], side)[0], 0.0, 1.0), np.float32)


@dataclass(frozen=True)
class Thumbnail:
    """A layer scaled by ``factors`` (x, y), at most 1, with its mask."""

    layer: Layer
    mask: MaskPixels | None
    factors: tuple[float, float]

    @property
    def factor(self) -> float:
        """Mean scale: what a width in layer pixels is multiplied by."""
        return sum(self.factors) / 2


def make_thumbnail(layer: Layer, mask: MaskPixels | None, side: int) -> Thumbnail:
    """``layer`` with a longest side of ``side``; a smaller layer is left as it is."""
    factor = side / max(layer.width, layer.height)
    if factor >= 1.0:
        return Thumbnail(layer, mask, (1.0, 1.0))
    width, height = max(1, round(layer.width * factor)), max(1, round(layer.height * factor))
    small_mask = None if mask is None else _average_pixels(mask[:, :, None], width, height)[:, :, 0]
    return Thumbnail(
        Layer(_average_colors(layer, width, height)),
        small_mask,
        (width / layer.width, height / layer.height),
    )


def _average_colors(layer: Layer, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The layer's pixels scaled down; colors count as much as they are opaque."""
    if not layer.has_alpha or layer.pixels[:, :, 3].min() == 255:
        return _average_pixels(layer.pixels, width, height)
    import cv2

    alpha = layer.pixels[:, :, 3:].astype(np.float32)
    weighted = np.concatenate([layer.pixels[:, :, :3] * alpha, alpha], axis=2)
    small = cv2.resize(weighted, (width, height), interpolation=cv2.INTER_AREA)
    colors = small[:, :, :3] / np.maximum(small[:, :, 3:], 1e-3)
    both = np.concatenate([colors, small[:, :, 3:]], axis=2)
    return np.asarray(np.clip(np.rint(both), 0, 255), dtype=np.uint8)


def _average_pixels(
    pixels: npt.NDArray[np.uint8], width: int, height: int
) -> npt.NDArray[np.uint8]:
    """uint8 ``[H, W, C]`` scaled down by averaging."""
    import cv2

    small = cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(height, width, pixels.shape[2]), dtype=np.uint8)
