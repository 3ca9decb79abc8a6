"""The predictor of stylegan-editing and pytorch_stylegan_encoder: ResNet-50 and two dense layers.

The two projects differ in the dense layer between (512 and 256 numbers), so their files cannot
be exchanged. Neither has an activation there, so that together they are one linear map.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What the ResNet's pictures, in 0..1, are normalized with."""


class ImageToLatent(nn.Module):
    """Picture -> all styles; the ResNet is torchvision's without pooling and classes."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        from torchvision.models import resnet50

        whole: Any = resnet50(weights=None)
        self.resnet = nn.Sequential(*list(whole.children())[:-2])
        squeezed, last = sizes.widths
        self.conv2d = nn.Conv2d(last, squeezed, 1)
        self.dense1 = nn.Linear(squeezed * 64, sizes.hidden)
        self.dense2 = nn.Linear(sizes.hidden, sizes.styles * sizes.depth)
        self.depth = sizes.depth

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, 256, 256] in -1..1 -> codes [N, styles, D]."""
        mean = torch.tensor(MEAN, device=x.device)[:, None, None]
        deviation = torch.tensor(DEVIATION, device=x.device)[:, None, None]
        features = self.conv2d(self.resnet(((x + 1) / 2 - mean) / deviation))  # [N, C, 8, 8]
        codes: Tensor = self.dense2(self.dense1(features.flatten(1)))
        return codes.reshape(len(codes), -1, self.depth)
