"""Portraits from factors: the way from a row of numbers to pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_portraits.renderer.factors import FACTORS
from latentfu_portraits.renderer.placement import Placement, Size, height_width, to_pixels, view_axes
from latentfu_portraits.renderer.pose import rotation, to_view


@torch.no_grad()
def render(
    factors: Tensor, size: Size, *, placement: Placement | None = None, supersample: int = 2
) -> Tensor:
    """Portraits ``[N, 3, H, W]`` in [-1, 1] of factors ``[N, F]`` in [-1, 1].

    ``size`` is one side or (height, width); ``placement`` says where the standard
    square crop lies in it. Every pixel is the mean of ``supersample`` squared samples.
    """
    _check(factors)
    height, width = height_width(size)
    u, v = view_axes(size, placement, supersample)
    u, v = torch.meshgrid(u, v, indexing="xy")
    shade = (1 - (u / 0.5) ** 2 - (v / 0.7) ** 2).clamp(-1, 1)
    picture = shade.expand(factors.shape[0], 3, -1, -1)
    return F.avg_pool2d(picture, supersample).view(-1, 3, height, width)


@torch.no_grad()
def landmarks(factors: Tensor, size: Size, *, placement: Placement | None = None) -> Tensor:
    """Pixel positions ``[N, 5, 2]`` (x, y) of eyes, nose tip and mouth corners.

    In the order of the picture for an unturned head: eye on the left, eye on the
    right, nose tip, mouth corner on the left, mouth corner on the right.
    """
    _check(factors)
    points = torch.tensor(
        [[-0.2, 0.07, 0.46], [0.2, 0.07, 0.46], [0, -0.17, 0.66], [-0.16, -0.36, 0.48],
         [0.16, -0.36, 0.48]]
    ).expand(factors.shape[0], -1, -1)
    return to_pixels(to_view(points, rotation(factors))[..., :2], size, placement)


def _check(factors: Tensor) -> None:
    if factors.ndim != 2 or factors.shape[1] != len(FACTORS):
        raise ValueError(f"need factors of shape [N, {len(FACTORS)}], got {tuple(factors.shape)}")
