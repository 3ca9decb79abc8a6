"""The parser as plug-ins see it: probabilities of regions, and how sure they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.regions.names import FACE_REGIONS
from latentfu_builtin.regions.network import PARSER_SIZE, load_parser

CHANGES = Path(__file__).parent / "weights" / "changes.json"
_EYES, _NOSE, _MOUTH = (FACE_REGIONS.index(name) for name in ("eyes", "nose", "mouth"))
_BACKGROUND = FACE_REGIONS.index("background")
_SMALLEST = 4e-4
"""Part of a crop that eyes, nose and mouth must fill at least to be a face's."""


def load_region_parser(device: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The shipped parser on ``device``; see :class:`latentfu.RegionParser`."""
    network = load_parser(device=device)

    def parse(pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Crops [N, 3, R, R] in -1..1 -> probabilities [N, 14, S, S] and surety [N]."""
        small = _resize(pictures.float(), PARSER_SIZE)
        both = torch.cat([small, small.flip(-1)])  # [2 N, 3, S, S]: a mirrored face is a face
        plain, mirrored = network(both).softmax(dim=1).chunk(2)
        parts = (plain + mirrored.flip(-1)) / 2  # [N, 14, S, S]
        return parts, measure_surety(parts)

    return parse


def _resize(pictures: Tensor, side: int) -> Tensor:
    if pictures.shape[-1] == side:
        return pictures
    return F.interpolate(
        pictures, (side, side), mode="bilinear", align_corners=False, antialias=True
    )


def measure_surety(parts: Tensor) -> Tensor:
    """How sure the parser is of each picture, 0..1, from its probabilities [N, 14, S, S].

    The mean probability of the likeliest region, over what is not background, times how much what
    was found is built like a face: eyes over a nose over a mouth.
    """
    person = 1 - parts[:, _BACKGROUND]  # [N, S, S]
    likeliest = parts.max(dim=1).values
    sure = (likeliest * person).sum(dim=(1, 2)) / person.sum(dim=(1, 2)).clamp(min=1e-6)
    return sure * torch.stack([_find_build(each) for each in parts])


def _find_build(parts: Tensor) -> Tensor:
    """1 for eyes over a nose over a mouth in [14, S, S], 0.5 where one is hidden, else 0."""
    side = parts.shape[-1]
    best = parts.argmax(dim=0)
    heights = []
    for place in (_EYES, _NOSE, _MOUTH):
        rows = (best == place).nonzero()[:, 0].float()
        if len(rows) >= _SMALLEST * side * side:
            heights.append(float(rows.mean()) / side)
    if len(heights) < 2 or heights != sorted(heights):
        return parts.new_tensor(0.0)
    return parts.new_tensor(1.0 if len(heights) == 3 else 0.5)


@cache
def read_changes() -> Mapping[str, Mapping[str, float]]:
    """What each factor of the people renderer changes in each region, in levels; measured."""
    if not CHANGES.is_file():
        return {}
    found: dict[str, dict[str, float]] = json.loads(CHANGES.read_text(encoding="utf-8"))["changes"]
    return found
