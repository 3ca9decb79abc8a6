"""StyleGAN2's residual discriminator with minibatch standard deviation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import EqualConv, EqualLinear, lrelu
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a 1x1 shortcut, to half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv0 = EqualConv(inputs, inputs, 3)
        self.conv1 = EqualConv(inputs, outputs, 3, down=True)
        self.skip = EqualConv(inputs, outputs, 1, down=True, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H/2, W/2]."""
        half = math.sqrt(0.5)
        y = self.conv1.activated(self.conv0.activated(x))
        shortcut: Tensor = self.skip(x, half)
        return torch.add(shortcut, y, alpha=half)


def _append_minibatch_stddev(x: Tensor, group: int = 4) -> Tensor:
    """Append one channel that tells how much the pictures of a group differ.

    x [N, C, H, W] -> [N, C + 1, H, W]; groups of `group`, or the largest divisor of N below it.
    """
    n, _, h, w = x.shape
    size = next(g for g in range(min(group, n), 0, -1) if n % g == 0)
    y = x.float().reshape(size, n // size, -1)  # [G, M, C H W]
    y = y - y.mean(dim=0)
    deviation = (y.square().mean(dim=0) + 1e-8).sqrt().mean(dim=1)  # [M]
    channel = deviation.repeat(size)[:, None, None, None].expand(n, 1, h, w)
    return torch.cat([x, channel.to(x.dtype)], dim=1)


class Discriminator(nn.Module):
    """Picture -> one number: high for real, low for made (arXiv 1912.04958, residual form).

    `channels` may be thinner than the generator's; default: the same.
    """

    def __init__(self, config: StyleGAN2Config, channels: tuple[int, ...] | None = None) -> None:
        super().__init__()
        sizes = tuple(channels or config.channels)
        if len(sizes) != len(config.channels):
            raise ValueError(f"the discriminator needs {len(config.channels)} channel numbers")
        self.config = config
        self.from_rgb = EqualConv(3, sizes[-1], 1)
        self.blocks = nn.ModuleList(
            ResidualBlock(a, b) for a, b in zip(sizes[:0:-1], sizes[-2::-1], strict=True)
        )
        self.conv = EqualConv(sizes[0] + 1, sizes[0], 3)
        self.dense = EqualLinear(sizes[0] * 16, sizes[0])
        self.out = EqualLinear(sizes[0], 1)

    def forward(self, image: Tensor) -> Tensor:
        """image [N, 3, R, R], about -1..1 -> logits [N], float32."""
        x = self.from_rgb.activated(image)  # [N, C, R, R]
        for block in self.blocks:
            x = block(x)  # half the size each time, down to 4 x 4
        x = self.conv.activated(_append_minibatch_stddev(x))  # [N, C, 4, 4]
        x = lrelu(self.dense(x.flatten(1)))  # [N, C]
        logits: Tensor = self.out(x)
        return logits[:, 0].float()
