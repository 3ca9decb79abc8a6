"""Our encoder: a small convolutional network from a picture to an offset from the mean code.

As in pSp (Richardson et al. 2021, arXiv 2008.00951) what is learned is the offset; as in e4e
(Tov et al. 2021, arXiv 2102.02766) it is one offset for all layers plus a small one for each.
Both are counted in the spreads of the generator's own codes, so that all axes are learned alike.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes: ``size`` of the picture it looks at, ``shape`` of the code that it gives.

    ``shape``: ``(num_ws, w_dim)``, or ``(D,)`` for one code without layers. ``widths``: channels
    at full size, half, quarter, ... ``space``: the latent space of the codes.
    """

    size: int
    shape: tuple[int, ...]
    space: str
    widths: tuple[int, ...] = (32, 64, 96, 128, 160)
    hidden: int = 512

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "widths", tuple(int(n) for n in self.widths))
        if len(self.shape) not in (1, 2) or min(self.shape) < 1 or math.prod(self.shape) > 1 << 20:
            raise ValueError(f"an encoder cannot give codes of the shape {list(self.shape)}")
        if not self.widths or self.size % self.shrink or not 8 <= self.size <= 1024:
            raise ValueError(f"an encoder cannot look at pictures of {self.size} px")
        if max(*self.widths, self.hidden) > 4096 or min(*self.widths, self.hidden) < 1:
            raise ValueError("an encoder has 1 to 4096 channels")

    @property
    def shrink(self) -> int:
        """How many times smaller the last features are than the picture."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def layers(self) -> int:
        """How many codes a picture has: 1 where the space has no layers."""
        return self.shape[0] if len(self.shape) == 2 else 1

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> EncoderConfig:
        """The config written by :meth:`to_json`; ValueError in one sentence for anything else."""
        try:
            values = json.loads(text)
            known = {field.name for field in fields(EncoderConfig)}
            return EncoderConfig(**{name: values[name] for name in known})
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"the encoder's config cannot be read: {error}") from error


def conv(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, batch normalization, activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


class PictureEncoder(nn.Module):
    """Picture -> code. ``mean [*shape]`` and ``axes [D, D]`` are the generator's own spread."""

    mean: Tensor
    axes: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.taken = False
        """Whether the convolutions were another network's before."""
        self.stages = nn.ModuleList()
        inputs = 3
        for width in config.widths:
            self.stages.append(nn.Sequential(conv(inputs, width), conv(width, width)))
            inputs = width
        last = (config.size // config.shrink) ** 2 * config.widths[-1]
        self.dense = nn.Linear(last, config.hidden)
        self.norm = nn.BatchNorm1d(config.hidden)
        depth = config.shape[-1]
        self.shared = nn.Linear(config.hidden, depth)
        self.apart = nn.Linear(config.hidden, config.layers * depth)
        nn.init.zeros_(self.apart.weight)
        nn.init.zeros_(self.apart.bias)
        self.register_buffer("mean", torch.zeros(config.layers, depth))
        self.register_buffer("axes", torch.zeros(depth, depth).fill_diagonal_(1.0))

    def offsets(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> offsets in spreads [N, layers, D]."""
        x = resized(x, self.config.size)
        for place, stage in enumerate(self.stages):
            x = stage(F.avg_pool2d(x, 2) if place else x)  # [N, C, S / 2^i, S / 2^i]
        hidden = F.leaky_relu(self.norm(self.dense(x.flatten(1))), 0.1)  # [N, hidden]
        apart: Tensor = self.apart(hidden).float().reshape(len(x), self.config.layers, -1)
        shared: Tensor = self.shared(hidden).float()[:, None]
        return shared + apart

    def codes(self, offsets: Tensor) -> Tensor:
        """Offsets [N, layers, D] -> codes [N, *shape]."""
        codes: Tensor = self.mean + offsets @ self.axes.T
        return codes if len(self.config.shape) == 2 else codes[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> codes [N, *shape]."""
        return self.codes(self.offsets(x))


def resized(x: Tensor, size: int) -> Tensor:
    """Pictures [N, 3, H, W] -> [N, 3, size, size], by areas when they shrink."""
    if tuple(x.shape[-2:]) == (size, size):
        return x
    if min(x.shape[-2:]) > size:
        return F.interpolate(x, (size, size), mode="area")
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False)
