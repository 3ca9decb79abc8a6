"""pSp and e4e: three sizes of features, a style head for each layer of the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.encoders.parts import ScaledLinear, StyleHead, added, entry, trunk
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes

COARSE, MIDDLE = 3, 7
"""Heads before these numbers look at the features of 16 and of 32 px, the others at 64 px."""
TAPS = (6, 20, 23)
"""The units after which the features are taken."""


class PspEncoder(nn.Module):
    """GradualStyleEncoder (Richardson et al. 2021, arXiv 2008.00951)."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        _, early, middle, late = sizes.widths
        self.input_layer = entry(sizes.channels, sizes.entry)
        self.body = trunk(sizes.entry, sizes.widths)
        self.styles = nn.ModuleList(
            StyleHead(late, sizes.depth, _side_of(place)) for place in range(sizes.styles)
        )
        self.latlayer1 = nn.Conv2d(middle, late, 1)
        self.latlayer2 = nn.Conv2d(early, late, 1)

    def features(self, x: Tensor) -> list[Tensor]:
        """x [N, 3, 256, 256] -> features of 16, 32 and 64 px, [N, C, S, S] each."""
        x = self.input_layer(x)
        taps: list[Tensor] = []
        for place, unit in enumerate(self.body):
            x = unit(x)
            if place in TAPS:
                taps.append(x)
        large, middle, small = taps
        middle = added(small, self.latlayer1(middle))
        return [small, middle, added(middle, self.latlayer2(large))]

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, 256, 256] -> offsets from the mean code [N, styles, D]."""
        features = self.features(x)
        styles = [head(features[level(i)]) for i, head in enumerate(self.styles)]
        return torch.stack(styles, dim=1)


class E4eEncoder(PspEncoder):
    """Encoder4Editing (Tov et al. 2021, arXiv 2102.02766): one code, and what each layer adds."""

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, 256, 256] -> offsets from the mean code [N, styles, D]."""
        return from_first(super().forward(x))


def from_first(styles: Tensor) -> Tensor:
    """[N, styles, D]: the first one stands for itself and is added to every other."""
    first = styles[:, :1]
    return torch.cat([first, styles[:, 1:] + first], dim=1)


def level(style: int) -> int:
    """Which of the three sizes the head of layer ``style`` looks at."""
    return 0 if style < COARSE else 1 if style < MIDDLE else 2


def _side_of(style: int) -> int:
    """The side of the features that the head of layer ``style`` looks at."""
    return 16 << level(style)


class PspIntoW(nn.Module):
    """BackboneEncoderUsingLastLayerIntoW: the mean of the last features, one w."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        self.input_layer = entry(sizes.channels, sizes.entry)
        self.linear = ScaledLinear(sizes.depth, sizes.depth)
        self.body = trunk(sizes.entry, sizes.widths)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, 256, 256] -> offset from the mean code [N, 1, D]."""
        features = self.body(self.input_layer(x)).mean(dim=(2, 3))  # [N, C]
        codes: Tensor = self.linear(features)
        return codes[:, None]


class PspIntoWPlus(nn.Module):
    """BackboneEncoderUsingLastLayerIntoWPlus: two dense layers for all styles at once."""

    def __init__(self, sizes: PublishedSizes) -> None:
        super().__init__()
        late = sizes.widths[-1]
        self.input_layer = entry(sizes.channels, sizes.entry)
        self.output_layer_2 = nn.Sequential(
            nn.BatchNorm2d(late),
            nn.AdaptiveAvgPool2d((7, 7)),
            nn.Flatten(),
            nn.Linear(late * 49, sizes.depth),
        )
        self.linear = ScaledLinear(sizes.depth, sizes.depth * sizes.styles)
        self.body = trunk(sizes.entry, sizes.widths)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, 256, 256] -> offsets from the mean code [N, styles, D]."""
        hidden = self.output_layer_2(self.body(self.input_layer(x)))  # [N, D]
        codes: Tensor = self.linear(hidden)
        return codes.reshape(len(codes), -1, hidden.shape[1])
