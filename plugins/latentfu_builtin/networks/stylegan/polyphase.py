"""Doubling the size by four small convolutions, one for each kind of new pixel.

Of the zeros between the pixels a 3 x 3 kernel sees nothing. Even rows and columns of the result
take its outer taps, odd ones the middle tap: kernels of 2 x 2, 2 x 1, 1 x 2 and 1 x 1, with the
multiplications of a transposed convolution. On large features a processor's library reaches twice
the speed with them; on small ones, and for gradients, the transposed convolution is the better.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.networks.stylegan.winograd import may_be_rearranged

LEAST_SIDE, LEAST_WORK = 128, 1 << 29
"""Below this side of the features, or with fewer multiplications for each tap, it gains nothing."""


def pays(x: Tensor, weight: Tensor) -> bool:
    """Whether features x [N, I, H, W] and weight [O, I, k, k] are better doubled by phases."""
    height, width = x.shape[2:]
    return (
        may_be_rearranged(x, weight)
        and min(height, width) >= LEAST_SIDE
        and height * width * weight[:, :, 0, 0].numel() >= LEAST_WORK
    )


def doubled(x: Tensor, weight: Tensor) -> Tensor:
    """Zeros between the pixels of x [N, I, H, W], then weight [O, I, 3, 3] with padding 2.

    float32; no gradients. -> [N, O, 2H + 1, 2W + 1], channels last.
    """
    n, _, height, width = x.shape
    result = x.new_empty(n, 2 * height + 1, 2 * width + 1, len(weight)).permute(0, 3, 1, 2)
    for row in (0, 1):
        for column in (0, 1):
            taps = weight[:, :, row::2, column::2]  # [O, I, 2 or 1, 2 or 1]
            taps = taps.contiguous(memory_format=torch.channels_last)
            result[:, :, row::2, column::2] = F.conv2d(x, taps, padding=(1 - row, 1 - column))
    return result
