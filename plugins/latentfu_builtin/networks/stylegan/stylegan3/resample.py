"""Resampling with given low-pass filters, [taps] (applied along both axes) or [taps, taps]."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

Padding = tuple[int, int, int, int]


def upsample_filtered(x: Tensor, taps: Tensor | None, factor: int, padding: Padding) -> Tensor:
    """x [N, C, H, W]: zeros between samples, padded (negative: cropped), filtered."""
    if factor > 1:
        n, c, h, w = x.shape
        spread = x.new_zeros(n, c, h, factor, w, factor)
        spread[:, :, :, 0, :, 0] = x
        x = spread.reshape(n, c, h * factor, w * factor)
    if any(padding):
        x = F.pad(x, padding)
    return filtered(x, taps, gain=float(factor**2))


def downsample(x: Tensor, taps: Tensor | None, factor: int) -> Tensor:
    """x [N, C, H, W]: filtered, then every ``factor``-th sample."""
    x = filtered(x, taps, gain=1.0)
    return x[:, :, ::factor, ::factor] if factor > 1 else x


def filtered(x: Tensor, taps: Tensor | None, gain: float) -> Tensor:
    """Each channel convolved with ``taps``; the picture shrinks by their length less one."""
    if taps is None:
        return x if gain == 1.0 else x * gain
    channels = x.shape[1]
    if taps.ndim == 2:
        kernel = (taps * gain).flip(0, 1).to(x).expand(channels, 1, -1, -1)
        return F.conv2d(x, kernel, groups=channels)
    row = (taps * gain**0.5).flip(0).to(x)
    x = F.conv2d(x, row.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(x, row[:, None].expand(channels, 1, -1, 1), groups=channels)
