"""Distances that look at pixels only: each takes ``[N, 3, R, R]`` twice in -1..1 and gives [N]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BLUR_SIZE, BLUR_SIGMA = 7, 5.0
"""At 1024 px; smaller pictures are blurred by the same part of their side."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (a - b).abs().mean(dim=(1, 2, 3))


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference."""
    return (a - b).square().mean(dim=(1, 2, 3))


def log_cosh(a: Tensor, b: Tensor) -> Tensor:
    """Mean of log(cosh(a - b)): squares near 0, absolute far from it."""
    apart = (a - b).abs()
    # log(cosh(x)) without the overflow of cosh
    return (apart + F.softplus(-2.0 * apart) - 0.6931472).mean(dim=(1, 2, 3))


def blurred_l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of the blurred pictures: places and colours, no texture."""
    return l2(blur(a), blur(b))


def blurred_log_cosh(a: Tensor, b: Tensor) -> Tensor:
    """log_cosh of the blurred pictures (stylegan-editing blurs the generated one only)."""
    return log_cosh(blur(a), blur(b))


def pyramid(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference at full, half and quarter size."""
    total = l2(a, b)
    for _ in range(2):
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        total = total + l2(a, b)
    return total / 3.0


def blur(image: Tensor) -> Tensor:
    """A Gaussian of 7 x 7 with sigma 5 at 1024 px, at least 3 x 3, mirrored at the border."""
    half = max(1, round(BLUR_SIZE // 2 * image.shape[-1] / 1024))
    sigma = max(1.0, BLUR_SIGMA * image.shape[-1] / 1024)
    steps = torch.arange(-half, half + 1, device=image.device, dtype=image.dtype)
    line = torch.exp(-0.5 * (steps / sigma).square())
    line = line / line.sum()
    channels = image.shape[1]
    across = line.expand(channels, 1, 1, -1)  # [C, 1, 1, K]
    down = across.transpose(2, 3)  # [C, 1, K, 1]
    image = F.conv2d(F.pad(image, (half, half, 0, 0), mode="reflect"), across, groups=channels)
    return F.conv2d(F.pad(image, (0, 0, half, half), mode="reflect"), down, groups=channels)
