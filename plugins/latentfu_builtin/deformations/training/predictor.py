"""The network that says, from two pictures, which deformation lies between them and how much."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def resnet() -> tuple[nn.Module, int]:
    """torchvision's ResNet-18 on six channels, and how many features it gives."""
    from torchvision.models import resnet18

    network = resnet18(weights=None)
    network.conv1 = nn.Conv2d(6, 64, 7, 2, padding=3, bias=False)
    network.fc = nn.Identity()
    return network, 512


def small() -> tuple[nn.Module, int]:
    """Four strided convolutions on six channels, and how many features they give."""
    widths = (6, 32, 64, 96, 128)
    blocks: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        blocks += [
            nn.Conv2d(inputs, outputs, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(2), nn.Flatten()), 128 * 4


def seen_at(side: int, pictures: Tensor) -> Tensor:
    """Pictures ``[N, C, R, R]``, made smaller where they are larger than ``side``."""
    if pictures.shape[-1] <= side:
        return pictures
    return F.interpolate(pictures, size=(side, side), mode="area")


class ShiftPredictor(nn.Module):
    """``kind``: "resnet" or "small"; ``count`` deformations; pictures are seen at ``side`` px."""

    def __init__(self, kind: str, count: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.body, width = resnet() if kind == "resnet" else small()
        self.which = nn.Linear(width, count)
        self.how_much = nn.Linear(width, 1)

    def forward(self, plain: Tensor, deformed: Tensor) -> tuple[Tensor, Tensor]:
        """Two ``[N, 3, R, R]`` -> logits ``[N, count]`` and shifts ``[N]``."""
        pair = seen_at(self.side, torch.cat([plain, deformed], dim=1))  # [N, 6, S, S]
        features = self.body(pair)  # [N, width]
        return self.which(features), self.how_much(features)[:, 0]
