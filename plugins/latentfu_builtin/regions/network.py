"""The parser: a small U-Net from a picture of a face to the region of each pixel.

After Ronneberger et al. 2015 (arXiv 1505.04597), with plain convolutions at few channels: at 128
pixels they are quicker on a CPU than separable ones.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.people.region_names import REGIONS

PARSER_SIZE = 128
PARSER_WEIGHTS = Path(__file__).parent / "weights" / "parser.safetensors"
_ARCHITECTURE = "face-parser"
_WIDTHS = (16, 32, 64, 112, 160)
_LAST = 8


def _double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Twice: 3x3 convolution, batch normalization, ReLU."""
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class RegionNetwork(nn.Module):
    """Pictures [N, 3, S, S] in -1..1, S a multiple of 32 -> logits [N, 14, S, S].

    Made for S = ``PARSER_SIZE``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        inputs = 12
        for width in _WIDTHS:
            self.down.append(_double_conv(inputs, width))
            inputs = width
        self.up = nn.ModuleList(
            _double_conv(deep + flat, flat)
            for deep, flat in zip(_WIDTHS[:0:-1], _WIDTHS[-2::-1], strict=True)
        )
        self.fine = nn.Conv2d(_WIDTHS[0] + 3, _LAST, 3, padding=1)
        self.head = nn.Conv2d(_LAST, len(REGIONS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the regions at each pixel."""
        deep = F.pixel_unshuffle(x, 2)  # [N, 12, S/2, S/2]
        kept: list[Tensor] = []
        for place, stage in enumerate(self.down):
            deep = stage(F.max_pool2d(deep, 2) if place else deep)  # [N, W, S/2.., S/2..]
            kept.append(deep)
        for stage, flat in zip(self.up, kept[-2::-1], strict=True):
            deep = stage(torch.cat([_double_size(deep), flat], dim=1))  # up to [N, 16, S/2, S/2]
        fine = F.relu(self.fine(torch.cat([_double_size(deep), x], dim=1)))  # [N, 8, S, S]
        logits: Tensor = self.head(fine)  # [N, 14, S, S]
        return logits


def _double_size(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def save_parser(path: Path, network: RegionNetwork, notes: dict[str, str]) -> None:
    """Write the weights as float16 safetensors, with the names of the regions."""
    tensors = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
    about = {"architecture": _ARCHITECTURE, "regions": json.dumps(REGIONS), **notes}
    write_tensors(path, tensors, about)


def load_parser(path: Path | None = None, device: torch.device | str = "cpu") -> RegionNetwork:
    """The parser of a file (None: the shipped one), in evaluation mode, without gradients.

    Raises:
        BadInputError: the file is missing, or no parser of these regions.
    """
    path = path or PARSER_WEIGHTS
    if not path.is_file():
        raise BadInputError(
            f"The parser {path} is not there: train it with `latentfu train parser`."
        )
    tensors, notes = read_tensors_and_metadata(path)
    known = json.loads(notes.get("regions", "[]"))
    if notes.get("architecture") != _ARCHITECTURE or known != list(REGIONS):
        raise BadInputError(f"{path} holds no parser of this program's regions.")
    network = RegionNetwork()
    wanted = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
    shapes = {name: tuple(value.shape) for name, value in wanted.items()}
    if {name: tuple(value.shape) for name, value in tensors.items()} != shapes:
        raise BadInputError(f"{path} holds a parser of another shape: train it again.")
    network.load_state_dict({k: v.float() for k, v in tensors.items()}, strict=False)
    return network.to(device).eval().requires_grad_(False)
