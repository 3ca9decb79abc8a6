"""Finding the portrait in a picture of any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.portraits.locator.network import SIZE, Locator


@dataclass(frozen=True)
class Found:
    """What was found: landmarks [5, 2] in pixels, how surely (0..1), and the standard crop.

    crop: (x0, y0, x1, y1) in pixels, a square that may reach beyond the picture.
    """

    landmarks: np.ndarray
    presence: float
    crop: tuple[float, float, float, float]


def letterbox(picture: Tensor, size: int = SIZE) -> tuple[Tensor, float, float, float]:
    """picture [3, H, W] in -1..1 -> [1, 3, size, size], centred, the rest grey.

    Also the zoom and the offsets: x in the box = x in the picture * zoom + offset.
    """
    height, width = picture.shape[1:]
    zoom = size / max(height, width)
    small_h, small_w = max(1, round(height * zoom)), max(1, round(width * zoom))
    small = F.interpolate(picture[None], (small_h, small_w), mode="bilinear", antialias=True)
    top, left = (size - small_h) // 2, (size - small_w) // 2
    box = picture.new_zeros(1, 3, size, size)
    box[:, :, top : top + small_h, left : left + small_w] = small
    return box, zoom, float(left), float(top)


@torch.no_grad()
def locate(locator: Locator, pixels: np.ndarray, refine: bool = True) -> Found:
    """Find the portrait in pixels, uint8 [H, W, 3].

    With `refine` the locator looks a second time, at the surroundings of what it found first,
    which makes small heads in large pictures as exact as large ones.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError("a picture to search must be uint8 with the shape [H, W, 3]")
    picture = torch.from_numpy(np.array(pixels)).permute(2, 0, 1) / 127.5 - 1.0
    points, presence = look(locator, picture)
    fit = locator.crop_fit
    if refine and presence > 0.5:
        left, top, side = (float(v) for v in fit.crop(points[None])[0])
        x0, y0 = max(0, int(left - 0.15 * side)), max(0, int(top - 0.15 * side))
        x1, y1 = int(left + 1.15 * side), int(top + 1.15 * side)
        part = picture[:, y0:y1, x0:x1]
        if min(part.shape[1:]) >= 16:
            again, _ = look(locator, part)
            points = again + torch.tensor([x0, y0])
    left, top, side = (float(v) for v in fit.crop(points[None])[0])
    return Found(points.numpy(), presence, (left, top, left + side, top + side))


def look(locator: Locator, picture: Tensor) -> tuple[Tensor, float]:
    """One look at picture [3, H, W]: landmarks [5, 2] in its pixels, presence 0..1."""
    box, zoom, left, top = letterbox(picture)
    points, present = locator(box)
    places = (points[0] * SIZE - torch.tensor([left, top])) / zoom
    return places, float(present[0].sigmoid())
