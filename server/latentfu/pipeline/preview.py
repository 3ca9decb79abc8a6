"""A quick picture while a slider moves: the network's own shorter way, made to fit the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from latentfu.pipeline.geometry import Floats

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


LARGE = 1024
"""Of smaller networks as many pixels are drawn as of one of this size: they take less time."""
MOVES = 0.5
"""A change of the picture (which spans 2) that is this rough takes the old edges away."""


def quick_picture(generator: Generator, latent: Latent, side: int) -> Floats:
    """``Generator.preview`` of one latent as float32 ``[3, S, S]``, not clipped."""
    import torch

    with torch.no_grad():
        picture: Floats = generator.preview(latent, side)[0].detach().cpu().float().numpy()
    return np.nan_to_num(picture)


def quick_side(resolution: int, shown: int, times: int) -> int:
    """The side of a quick picture that is ``times`` smaller than the network's ``resolution``.

    Not larger than the ``shown`` pixels, and of a small network not smaller than of a large one.
    """
    return min(shown, resolution, max(resolution, LARGE) // times)


def fitted(whole: Floats, before: Floats, after: Floats, side: int) -> tuple[Floats, Floats]:
    """What ``after`` would look like whole, and ``whole`` itself: ``[3, side, side]``, -1..1.

    ``whole [3, R, R]`` shows what ``before [3, S, S]`` shows quickly, S <= side <= R. Colours that
    the short way has otherwise are fitted by least squares; what it lacks is taken from ``whole``,
    the sharpness too where nothing moves: without a change the picture is exact.
    """
    small, shown = resized(whole, before.shape[-1]), resized(whole, side)
    x = before.reshape(3, -1) - before.reshape(3, -1).mean(axis=1, keepdims=True)
    y = small.reshape(3, -1) - small.reshape(3, -1).mean(axis=1, keepdims=True)
    spread = x @ x.T
    spread += 1e-3 * np.eye(3) * max(float(np.trace(spread)), 1e-6)
    colours = np.linalg.solve(spread, x @ y.T).T  # [3, 3]
    change = (colours @ (after - before).reshape(3, -1)).reshape(before.shape).astype(np.float32)
    sharpness = shown - resized(small, side)  # what only the larger picture shows
    edited = resized(small + change, side) + sharpness * resized(stillness(change), side)
    return np.clip(edited, -1.0, 1.0), shown


def stillness(change: Floats) -> Floats:
    """Where the edges of a picture stay under a ``change [3, S, S]``: ``[1, S, S]`` in 0..1.

    New colours leave edges where they are, and so change smoothly; what moves or comes does not.
    """
    import cv2

    plain = change.transpose(1, 2, 0)
    rough = np.abs(plain - cv2.GaussianBlur(plain, (0, 0), 2.0)).max(axis=2)
    rough = cv2.dilate(rough, np.ones((3, 3), np.uint8))
    still = np.clip(1.0 - rough / MOVES, 0.0, 1.0)[None]  # [1, S, S]
    return np.asarray(still, dtype=np.float32)


def resized(picture: Floats, side: int) -> Floats:
    """A picture ``[C, S, S]`` as ``[C, side, side]``: averaged when smaller, smooth when larger."""
    import cv2

    if picture.shape[-1] == side:
        return picture
    way = cv2.INTER_AREA if side < picture.shape[-1] else cv2.INTER_CUBIC
    found = cv2.resize(picture.transpose(1, 2, 0), (side, side), interpolation=way)
    return np.asarray(np.atleast_3d(found).transpose(2, 0, 1), dtype=np.float32)


@contextmanager
def stopping(check: Callable[[], None]) -> Iterator[None]:
    """Call ``check`` before each module of any network that runs inside; it raises to stop."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    handle = register_module_forward_pre_hook(lambda _module, _inputs: check())
    try:
        yield
    finally:
        handle.remove()
