"""The parser: a small U-Net from a picture of a face to the region of each pixel.

After Ronneberger et al. 2015 (arXiv 1505.04597), with plain convolutions at few channels: at 128
pixels they are quicker on a CPU than separable ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
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


CHANGES = Path(__file__).parent / "weights" / "changes.json"
_EYES, _NOSE, _MOUTH = (REGIONS.index(name) for name in ("eyes", "nose", "mouth"))
_BACKGROUND = REGIONS.index("background")
_FACE = tuple(REGIONS.index(n) for n in ("skin", "eyes", "brows", "nose", "mouth", "glasses"))
_SIZES = {_EYES: (0.001, 0.05), _NOSE: (0.003, 0.08), _MOUTH: (0.002, 0.08)}
"""Parts of a crop that eyes, nose and mouth may fill: from far to near crops of faces."""
_LEAST_BELOW, _MOST_BELOW, _MOST_BESIDE = 0.02, 0.30, 0.15
"""How far below and beside the eyes the nose lies, and the mouth below the nose, in crop sides."""
_LEAST_FACE, _LEAST_TOGETHER, _LEAST_SOLID = 0.05, 0.85, 0.7
"""Part of the crop that is face; part of it in one piece; part of its convex outline it fills."""


def load_region_parser(device: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The shipped parser on ``device``; see :class:`latentfu.RegionParser`."""
    network = load_parser(device=device)

    def parse(pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Crops [N, 3, R, R] in -1..1 -> probabilities [N, 14, S, S] and surety [N]."""
        small = _resize(pictures.float(), PARSER_SIZE)
        both = torch.cat([small, small.flip(-1)])  # [2 N, 3, S, S]: a mirrored face is a face
        plain, mirrored = network(both).softmax(dim=1).chunk(2)
        parts = (plain + mirrored.flip(-1)) / 2  # [N, 14, S, S]
        return parts, _measure_surety(parts)

    return parse


def _resize(pictures: Tensor, side: int) -> Tensor:
    if pictures.shape[-1] == side:
        return pictures
    return F.interpolate(
        pictures, (side, side), mode="bilinear", align_corners=False, antialias=True
    )


def _measure_surety(parts: Tensor) -> Tensor:
    """How sure the parser is of each picture, 0..1, from its probabilities [N, 14, S, S].

    The mean probability of the likeliest region, over what is not background; 0 where what was
    found is not built like a face.
    """
    person = 1 - parts[:, _BACKGROUND]  # [N, S, S]
    likeliest = parts.max(dim=1).values
    sure = (likeliest * person).sum(dim=(1, 2)) / person.sum(dim=(1, 2)).clamp(min=1e-6)
    return sure * torch.tensor([float(_is_face_built(each)) for each in parts]).to(sure)


def _is_face_built(parts: Tensor) -> bool:
    """Whether eyes, nose and mouth in [14, S, S] have the sizes and places that a face has.

    In a crop that an aligner has found: the face may be turned by some 30 degrees.
    """
    best = parts.argmax(dim=0).cpu().numpy()  # [S, S]
    middles = []
    for place, (least, most) in _SIZES.items():
        rows, columns = np.nonzero(best == place)
        if not least <= len(rows) / best.size <= most:
            return False
        middles.append((columns.mean() / best.shape[1], rows.mean() / best.shape[0]))
    (eyes_x, eyes_y), (nose_x, nose_y), (mouth_x, mouth_y) = middles
    below = _LEAST_BELOW <= nose_y - eyes_y <= _MOST_BELOW
    below &= _LEAST_BELOW <= mouth_y - nose_y <= _MOST_BELOW
    beside = max(abs(nose_x - eyes_x), abs(mouth_x - eyes_x)) <= _MOST_BESIDE
    return bool(below and beside and _is_one_piece(np.isin(best, _FACE)))


def _is_one_piece(face: npt.NDArray[np.bool_]) -> bool:
    """Whether most of a face [S, S] hangs together and fills its outline."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(face.astype(np.uint8))
    if count < 2:
        return False
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    area = float(stats[largest, cv2.CC_STAT_AREA])
    points = np.argwhere(labels == largest)[:, ::-1].astype(np.int32)
    outline = float(cv2.contourArea(cv2.convexHull(points)))
    whole = area >= _LEAST_TOGETHER * face.sum()
    return bool(whole and area >= _LEAST_SOLID * outline and area >= _LEAST_FACE * face.size)


@cache
def read_changes() -> Mapping[str, Mapping[str, float]]:
    """What each factor of the people renderer changes in each region, in levels; measured."""
    if not CHANGES.is_file():
        return {}
    found: dict[str, dict[str, float]] = json.loads(CHANGES.read_text(encoding="utf-8"))["changes"]
    return found
