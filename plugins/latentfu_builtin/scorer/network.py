"""The scorer: a small convolutional network from the picture of a person to its factors.

Its inner features also serve as a perceptual distance in the manner of LPIPS (Zhang et al.
2018, arXiv 1801.03924): unit-normalized over the channels, squared differences, averaged.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import check_tensors
from latentfu_builtin.scorer.factor_table import (
    FactorTable,
    find_factor_table,
    open_factor_table,
)

_ARCHITECTURE = "portrait-scorer"


@dataclass(frozen=True)
class ScorerSizes:
    """What the network looks at, and how wide it is.

    Attributes:
        side: Pixels of the picture, four times a power of two.
        widths: Channels from that size down to 4 px.
        hidden: Numbers before the last layer.
    """

    side: int = 128
    widths: tuple[int, ...] = (16, 32, 64, 96, 128, 160)
    hidden: int = 128

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> ScorerSizes:
        """Read back what `to_json` wrote; files that say nothing have the default sizes."""
        values = json.loads(text)
        return ScorerSizes(**{**values, "widths": tuple(values["widths"])})


def _make_conv(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, batch normalization, activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


class ScorerNetwork(nn.Module):
    """Portrait [N, 3, H, W] in -1..1 -> factors [N, F].

    Continuous factors come as their value, about -1..1; presence factors as 2 p - 1, where p is
    the probability that the thing is there, so that the boundary lies at 0 for all of them.
    """

    def __init__(self, table: FactorTable | None = None, sizes: ScorerSizes | None = None) -> None:
        super().__init__()
        self.table = table = table or open_factor_table("portraits")
        self.sizes = sizes = sizes or ScorerSizes()
        self.stages = nn.ModuleList()
        inputs = 3
        for width in sizes.widths:
            self.stages.append(nn.Sequential(_make_conv(inputs, width), _make_conv(width, width)))
            inputs = width
        self.dense = nn.Linear(inputs * 16, sizes.hidden)
        self.head = nn.Linear(sizes.hidden, len(table.names) + len(table.circular))
        self.metadata: dict[str, str] = {}

    def features(self, x: Tensor) -> list[Tensor]:
        """x [N, 3, H, W] in -1..1 -> features at `sizes.side`, half of it, ... 4 px."""
        side = self.sizes.side
        if x.shape[-2:] != (side, side):
            shrinks = min(x.shape[-2:]) > side
            x = F.interpolate(x, (side, side), mode="area" if shrinks else "bilinear")
        kept: list[Tensor] = []
        for place, stage in enumerate(self.stages):
            if place:
                x = F.avg_pool2d(x, 2)
            x = stage(x)
            kept.append(x)
        return kept

    def raw(self, x: Tensor) -> Tensor:
        """x [N, 3, H, W] -> the head's numbers [N, F + circular]: values, logits, and for the
        circular factors a cosine in their own column and a sine after the last factor."""
        last = self.features(x)[-1].float()
        hidden = F.leaky_relu(self.dense(last.flatten(1)), 0.1)
        numbers: Tensor = self.head(hidden)
        return numbers

    def forward(self, x: Tensor) -> Tensor:
        """x [N, 3, H, W] in -1..1 -> factors [N, F]."""
        numbers = self.raw(x).float()
        count = len(self.table.names)
        columns = list(numbers[:, :count].unbind(1))
        for place in self.table.presence:
            columns[place] = torch.tanh(columns[place] / 2)
        for extra, place in enumerate(self.table.circular):
            columns[place] = torch.atan2(numbers[:, count + extra], columns[place]) / math.pi
        return torch.stack(columns, dim=1)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Perceptual distance [N] of pictures a and b [N, 3, H, W] in -1..1; 0 when equal."""
        return _feature_distance(self.features(a), self.features(b))


def _feature_distance(first: list[Tensor], second: list[Tensor]) -> Tensor:
    """Distance [N] of two lists of features: mean over the levels of the mean squared
    difference of features with unit length over the channels."""
    total = torch.zeros(first[0].shape[0], device=first[0].device)
    for x, y in zip(first, second, strict=True):
        difference = _normalize(x.float()) - _normalize(y.float())
        total = total + difference.square().sum(dim=1).mean(dim=(1, 2))
    return total / len(first)


def _normalize(x: Tensor) -> Tensor:
    """x [N, C, H, W] with length 1 over the channels at each place."""
    return x * (x.square().sum(dim=1, keepdim=True) + 1e-6).rsqrt()


def save_scorer(path: Path, scorer: ScorerNetwork, metadata: dict[str, str]) -> None:
    """Write the weights as float16 safetensors with the factors' names."""
    tensors = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in scorer.state_dict().items()
        if value.is_floating_point()
    }
    notes = {
        "architecture": _ARCHITECTURE,
        "factors": json.dumps(scorer.table.names),
        "sizes": scorer.sizes.to_json(),
        **metadata,
    }
    write_tensors(path, tensors, notes)


def begin_with_convolutions(table: FactorTable, trunk: Mapping[str, Tensor]) -> ScorerNetwork:
    """A new scorer whose convolutions are those of an encoder, or of another scorer.

    An encoder has learned where faces and hair are, on photographs too; it looks at 64 px.
    Raises BadInputError where the tensors are no such convolutions.
    """
    convolutions = {
        name: value.float() for name, value in trunk.items() if name.startswith("stages.")
    }
    widths: list[int] = []
    while (first := f"stages.{len(widths)}.0.0.weight") in convolutions:
        widths.append(int(convolutions[first].shape[0]))
    if not widths:
        raise BadInputError("This file has no convolutions that a scorer can begin with.")
    sizes = ScorerSizes(4 * 2 ** (len(widths) - 1), tuple(widths), 256)
    scorer = ScorerNetwork(table, sizes)
    own = scorer.state_dict()
    if any(
        name not in own or own[name].shape != value.shape for name, value in convolutions.items()
    ):
        raise BadInputError("The convolutions of this file are not shaped as a scorer's.")
    scorer.load_state_dict(convolutions, strict=False)
    return scorer


def load_scorer(path: Path, device: torch.device | str = "cpu") -> ScorerNetwork:
    """The scorer of a file, in evaluation mode, gradients off.

    ValueError in one sentence when the file is not a scorer, or one for other factors.
    """
    stored, metadata = read_tensors_and_metadata(path)
    if metadata.get("architecture") != _ARCHITECTURE:
        raise ValueError(f"{path} holds no {_ARCHITECTURE}")
    table = find_factor_table(json.loads(metadata.get("factors", "[]")))
    if table is None:
        raise ValueError(f"{path} was trained for other factors than a renderer's")
    sizes = ScorerSizes.from_json(metadata["sizes"]) if "sizes" in metadata else None
    scorer = ScorerNetwork(table, sizes)
    expected = {k: v for k, v in scorer.state_dict().items() if v.is_floating_point()}
    tensors = {name: value.float() for name, value in stored.items()}
    check_tensors(path, expected, tensors)
    scorer.load_state_dict(tensors, strict=False)
    scorer.metadata = metadata
    scorer = scorer.to(device).to(memory_format=torch.channels_last)
    return scorer.eval().requires_grad_(False)
