"""ReStyle's encoders (Alaluf et al. 2021, arXiv 2104.02699): they look at the picture and at what
was found for it so far, and give what to add to the code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.encoders.parts import StyleHead, entry, trunk
from latentfu_builtin.networks.encoders.psp import from_first
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes

SIDE = 16
"""All heads look at the last features."""
RESNET34 = (3, 4, 6, 3)


class RestyleEncoder(nn.Module):
    """BackboneEncoder: the face-recognition trunk with a head for each style."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        self.input_layer = entry(sizes.channels, sizes.entry)
        self.body = trunk(sizes.entry, sizes.widths)
        self.styles = _heads(sizes)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 6, 256, 256], picture and reconstruction -> offsets [N, styles, D]."""
        last = self.body(self.input_layer(x))  # [N, C, 16, 16]
        return torch.stack([head(last) for head in self.styles], dim=1)


class RestyleProgressive(RestyleEncoder):
    """ProgressiveBackboneEncoder: as in e4e, one code and what each layer adds."""

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 6, 256, 256] -> offsets [N, styles, D]."""
        return from_first(super().forward(x))


class BasicBlock(nn.Module):
    """ResNet's block of two 3x3 convolutions (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H / stride, W / stride]."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + shortcut)


class RestyleResnet(nn.Module):
    """ResNetBackboneEncoder: ResNet-34 without its pooling, with a head for each style."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(sizes.channels, sizes.entry, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(sizes.entry)
        self.relu = nn.PReLU(sizes.entry)
        blocks: list[nn.Module] = []
        inputs = sizes.entry
        for stage, (width, count) in enumerate(zip(sizes.widths, RESNET34, strict=True)):
            for place in range(count):
                blocks.append(BasicBlock(inputs, width, 2 if stage and not place else 1))
                inputs = width
        self.body = nn.Sequential(*blocks)
        self.styles = _heads(sizes)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 6, 256, 256] -> offsets [N, styles, D]."""
        last = self.body(self.relu(self.bn1(self.conv1(x))))  # [N, C, 16, 16]
        return torch.stack([head(last) for head in self.styles], dim=1)


class RestyleResnetProgressive(RestyleResnet):
    """ResNetProgressiveBackboneEncoder: the same, as in e4e."""

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 6, 256, 256] -> offsets [N, styles, D]."""
        return from_first(super().forward(x))


def _heads(sizes: PublishedSizes) -> nn.ModuleList:
    """A head for each style, all on the last features."""
    return nn.ModuleList(
        StyleHead(sizes.widths[-1], sizes.depth, SIDE) for _ in range(sizes.styles)
    )
