"""The parts of pSp, e4e and ReStyle: the face-recognition trunk and the style heads.

The trunk is ArcFace's improved residual network with squeeze-and-excitation (Deng et al. 2019,
arXiv 1801.07698; Hu et al. 2018, arXiv 1709.01507), the heads are pSp's (arXiv 2008.00951).
Names of parameters are those of the published checkpoints.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import draw_normal

UNITS = (3, 4, 14, 3)
"""Residual units of the four stages of the 50-layer trunk."""
SQUEEZE = 16


class SqueezeExcite(nn.Module):
    """Channels weighted by what the whole picture holds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // SQUEEZE, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // SQUEEZE, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] -> [N, C, H, W]."""
        means = x.mean(dim=(2, 3), keepdim=True)  # [N, C, 1, 1]
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(means))))


class Unit(nn.Module):
    """A residual unit; where the width stays, the shortcut only skips pixels."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H / stride, W / stride]."""
        y: Tensor = self.shortcut_layer(x) + self.res_layer(x)
        return y


def entry(inputs: int, width: int) -> nn.Sequential:
    """The first layer, at the picture's own size."""
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)
    )


def trunk(entry_width: int, widths: tuple[int, ...]) -> nn.Sequential:
    """The 24 units; each stage halves the picture once."""
    units: list[nn.Module] = []
    inputs = entry_width
    for width, count in zip(widths, UNITS, strict=True):
        for place in range(count):
            units.append(Unit(inputs, width, stride=1 if place else 2))
            inputs = width
    return nn.Sequential(*units)


class ScaledLinear(nn.Module):
    """A dense layer whose stored weights are scaled by 1 / sqrt(inputs) when used."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw_normal(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs] -> [N, outputs]."""
        return F.linear(x, self.weight / math.sqrt(self.weight.shape[1]), self.bias)


class StyleHead(nn.Module):
    """A feature map halved until one pixel is left: one style."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(side.bit_length() - 1):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(0.01)]
            inputs = outputs
        self.convs = nn.Sequential(*layers)
        self.linear = ScaledLinear(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, side, side] -> style [N, D]."""
        style: Tensor = self.linear(self.convs(x).flatten(1))
        return style


def added(small: Tensor, large: Tensor) -> Tensor:
    """``small`` enlarged to the size of ``large`` (corners on corners) and added to it."""
    size = list(large.shape[-2:])
    return F.interpolate(small, size=size, mode="bilinear", align_corners=True) + large
