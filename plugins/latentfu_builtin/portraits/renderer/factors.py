"""The factors of a portrait, and how they are drawn.

A portrait is a row of numbers in [-1, 1], one column per entry of ``FACTORS``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

FactorKind = Literal["continuous", "presence"]
FactorSpread = Literal["centered", "uniform"]


@dataclass(frozen=True)
class Factor:
    """One column of a portrait: its name, what more of it means, and its family.

    A presence factor shows its thing above ``threshold`` and not below it.
    ``share`` is the part of drawn portraits that show it. ``spread`` says whether
    a continuous factor gathers round zero or fills its range evenly.
    """

    name: str
    plus: str
    kind: FactorKind
    group: str
    threshold: float = 0.0
    share: float = 0.5
    spread: FactorSpread = "centered"


def _even(name: str, plus: str, group: str) -> Factor:
    return Factor(name, plus, "continuous", group, spread="uniform")


def _centered(name: str, plus: str, group: str) -> Factor:
    return Factor(name, plus, "continuous", group)


def _present(name: str, plus: str, share: float) -> Factor:
    return Factor(name, plus, "presence", "extras", share=share)


FACTORS: tuple[Factor, ...] = (
    _centered("yaw", "head turned further to the right of the picture, 40 degrees at 1", "pose"),
    _centered("pitch", "head raised, 20 degrees at 1", "pose"),
    _centered("roll", "head tilted clockwise in the picture, 20 degrees at 1", "pose"),
    _even("smile", "more smile; minus is a frown", "expression"),
    _even("mouth_open", "mouth further open; closed below about -0.2", "expression"),
    _even("age", "older: wrinkles, grayer hair, sagging face; minus is young", "face"),
    _even("gender", "more masculine presentation: jaw, brows, lips, lashes", "face"),
    _centered("face_width", "wider face", "face"),
    _centered("jaw", "broader, squarer jaw", "face"),
    _centered("nose_length", "longer nose", "face"),
    _centered("eye_size", "larger eyes", "face"),
    _centered("eye_open", "eyes wider open; nearly shut at -1", "expression"),
    _even("gaze_x", "looking further to the right of the picture", "expression"),
    _even("gaze_y", "looking further up", "expression"),
    _even("eye_hue", "irises from brown over green to blue", "face"),
    _centered("brow_height", "brows raised", "expression"),
    _even("brow_angle", "inner ends of the brows lower, as in anger", "expression"),
    _even("skin_tone", "darker skin", "face"),
    _even("hair_lightness", "lighter hair, black over brown to blond", "hair"),
    _centered("hair_redness", "redder hair, ash to auburn", "hair"),
    _even("hair_length", "longer hair; bald at -1", "hair"),
    _even("hair_curl", "curlier and fuller hair; minus is straight and flat", "hair"),
    _even("fringe", "fringe further down the forehead; minus is a high hairline", "hair"),
    _present("beard", "beard: stubble just above the threshold, then longer", 0.30),
    _present("glasses", "glasses; larger with rising value", 0.35),
    _present("hat", "hat; taller with rising value", 0.20),
    _present("earrings", "earrings; larger with rising value", 0.25),
    _centered("light_x", "key light further to the right of the picture", "light"),
    _centered("light_y", "key light higher", "light"),
    _centered("light_warmth", "warmer key light", "light"),
    _even("background_hue", "background hue round the color circle", "scene"),
    _even("background_light", "lighter background", "scene"),
    _even("clothes_hue", "hue of the clothes round the color circle", "scene"),
)
FACTOR_NAMES: tuple[str, ...] = tuple(factor.name for factor in FACTORS)
_INDEX = {name: column for column, name in enumerate(FACTOR_NAMES)}


def column(name: str) -> int:
    """The column of the factor ``name``; ``KeyError`` when there is none."""
    return _INDEX[name]


def _quantile(share: float) -> float:
    """The normal deviate that the given share of draws exceeds."""
    return math.sqrt(2.0) * float(torch.erfinv(torch.tensor(1.0 - 2.0 * share)))


_SHIFT = torch.tensor(
    [_quantile(f.share) if f.kind == "presence" else 0.0 for f in FACTORS], dtype=torch.float32
)
# 0.55 keeps centered factors mostly within +-0.6 while both ends stay in reach.
_SLOPE = torch.tensor(
    [
        0.55 if f.kind == "continuous" and f.spread == "centered" else math.sqrt(0.5)
        for f in FACTORS
    ],
    dtype=torch.float32,
)


def from_normal(z: Tensor) -> Tensor:
    """Map standard normals ``[N, >=F]`` to factors ``[N, F]`` in [-1, 1].

    Column by column, smooth and rising: evenly filled ranges where hue or age is
    drawn, ranges gathered round zero for pose and shape, and for presence factors
    a shift so that the wanted share lies above zero.
    """
    count = len(FACTORS)
    if z.ndim != 2 or z.shape[1] < count:
        raise ValueError(f"need normals of shape [N, >={count}], got {tuple(z.shape)}")
    shift, slope = _SHIFT.to(z), _SLOPE.to(z)
    return torch.erf((z[:, :count] - shift) * slope)


def _correlation(correlate: Mapping[tuple[str, str], float]) -> Tensor:
    matrix = torch.eye(len(FACTORS), dtype=torch.float64)
    for (first, second), value in correlate.items():
        if first == second or not -1.0 < value < 1.0:
            raise ValueError(f"cannot correlate {first!r} with {second!r} by {value}")
        row, col = column(first), column(second)
        matrix[row, col] = matrix[col, row] = value
    return matrix


def sample(
    n: int, *, seed: int, correlate: Mapping[tuple[str, str], float] | None = None
) -> Tensor:
    """Draw ``n`` portraits: factors ``[n, F]``, the same for the same seed.

    ``correlate`` gives correlations of the underlying normals, in (-1, 1), for
    pairs of factor names; all other pairs stay independent.
    """
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, len(FACTORS), generator=generator, dtype=torch.float64)
    if correlate:
        factor, failed = torch.linalg.cholesky_ex(_correlation(correlate))
        if bool(failed):
            raise ValueError("the asked correlations contradict each other")
        z = z @ factor.T
    return from_normal(z).to(torch.float32)
