"""A quick picture while a slider moves: the network's own shorter way, made to fit the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from latentfu.edit.geometry import Floats

if TYPE_CHECKING:
    from latentfu.nouns.generator import Generator
    from latentfu.nouns.latent import Latent


def quick_picture(generator: Generator, latent: Latent, side: int) -> Floats:
    """``Generator.preview`` of one latent as float32 ``[3, S, S]``, not clipped."""
    import torch

    with torch.no_grad():
        picture: Floats = generator.preview(latent, side)[0].detach().cpu().float().numpy()
    return np.nan_to_num(picture)


def fitted(whole: Floats, before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """What ``after`` would look like whole, and ``whole`` itself, both ``[3, S, S]`` in -1..1.

    ``whole [3, R, R]`` shows what ``before [3, S, S]`` shows quickly. Colours that the short way
    has otherwise are fitted by least squares; what it lacks is taken from ``whole``: without a
    change the picture is exact.
    """
    import cv2

    side = before.shape[-1]
    shrunk = cv2.resize(whole.transpose(1, 2, 0), (side, side), interpolation=cv2.INTER_AREA)
    target = np.asarray(shrunk, dtype=np.float32).transpose(2, 0, 1)
    x = before.reshape(3, -1) - before.reshape(3, -1).mean(axis=1, keepdims=True)
    y = target.reshape(3, -1) - target.reshape(3, -1).mean(axis=1, keepdims=True)
    spread = x @ x.T
    spread += 1e-3 * np.eye(3) * max(float(np.trace(spread)), 1e-6)
    colours = np.linalg.solve(spread, x @ y.T).T  # [3, 3]
    change = (colours @ (after - before).reshape(3, -1)).reshape(3, side, side)
    return np.clip(target + change, -1.0, 1.0).astype(np.float32), target


@contextmanager
def stopping(check: Callable[[], None]) -> Iterator[None]:
    """Call ``check`` before each module of any network that runs inside; it raises to stop."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    handle = register_module_forward_pre_hook(lambda _module, _inputs: check())
    try:
        yield
    finally:
        handle.remove()
