"""The parser as plug-ins see it: probabilities of regions, and how sure they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.regions.network import PARSER_SIZE, load_parser

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
