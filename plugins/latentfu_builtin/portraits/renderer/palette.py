"""Colors of skin, hair, eyes, clothes and background from factors, linear light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import ramp
from latentfu_builtin.portraits.renderer.factors import column

Rgb = tuple[int, int, int]

_SKIN: tuple[Rgb, ...] = (
    (250, 218, 200),
    (240, 196, 168),
    (222, 170, 130),
    (190, 132, 94),
    (140, 90, 62),
    (88, 56, 42),
)
_HAIR: tuple[Rgb, ...] = (
    (24, 20, 20),
    (62, 42, 32),
    (112, 76, 50),
    (178, 136, 86),
    (232, 200, 142),
)
_RED_HAIR: tuple[Rgb, ...] = (
    (40, 18, 14),
    (92, 36, 20),
    (150, 66, 30),
    (206, 110, 58),
    (238, 170, 110),
)
_IRIS: tuple[Rgb, ...] = (
    (70, 40, 22),
    (120, 78, 36),
    (106, 120, 62),
    (92, 138, 150),
    (76, 130, 198),
)


@dataclass(frozen=True)
class Palette:
    """Linear colors ``[N, 3, 1]``."""

    skin: Tensor
    hair: Tensor
    iris: Tensor
    lips: Tensor
    cloth: Tensor
    hat: Tensor
    metal: Tensor
    frame: Tensor
    background: Tensor


def _linear(rgb: Tensor) -> Tensor:
    """Display values 0..1 in linear light; the display curve is a square root here."""
    return rgb * rgb


def _along(value: Tensor, stops: tuple[Rgb, ...]) -> Tensor:
    """Colors ``[N, 3]`` at ``value [N]`` in [-1, 1] on a scale of evenly spaced stops."""
    table = torch.tensor(stops).to(value) / 255
    place = (value * 0.5 + 0.5).clamp(0, 1) * (len(stops) - 1)
    low = place.floor().clamp(max=len(stops) - 2).long()
    part = (place - low)[:, None]
    return torch.lerp(table[low], table[low + 1], part)


def _wheel(hue: Tensor, strength: float, light: Tensor) -> Tensor:
    """Colors ``[N, 3]`` round the circle, hue ``[N]`` in [-1, 1]."""
    turns = hue * math.pi * 0.92
    shifts = torch.tensor([0.0, 2 * math.pi / 3, 4 * math.pi / 3]).to(hue)
    return light[:, None] * (1 + strength * torch.cos(turns[:, None] - shifts))


def palette(f: Tensor) -> Palette:
    """Colors of factors ``[N, F]``."""
    tone, age = f[:, column("skin_tone")], f[:, column("age")]
    skin = _along(tone, _SKIN)
    pigment, red = f[:, column("hair_lightness")], f[:, column("hair_redness")]
    hair = torch.lerp(_along(pigment, _HAIR), _along(pigment, _RED_HAIR), ramp(red, 0, 1)[:, None])
    gray = torch.tensor([0.74, 0.74, 0.76]).to(f) * (0.85 + 0.15 * pigment[:, None])
    hair = torch.lerp(hair, gray, 0.9 * ramp(age, 0.15, 0.95)[:, None])
    made_up = 0.5 - 0.5 * f[:, column("gender")]
    rose = torch.tensor([0.76, 0.32, 0.33]).to(f) * (0.62 + 0.38 * skin[:, :1])
    lips = torch.lerp(
        skin * torch.tensor([0.88, 0.68, 0.66]).to(f), rose, 0.15 + 0.55 * made_up[:, None]
    )
    cloth = _wheel(f[:, column("clothes_hue")], 0.5, torch.full_like(tone, 0.46))
    shade = 0.48 + 0.3 * f[:, column("background_light")]
    background = _wheel(f[:, column("background_hue")], 0.22, shade)
    hat = _wheel(
        f[:, column("clothes_hue")] + 0.9, 0.3, 0.36 + 0.14 * f[:, column("hat")].clamp(0, 1)
    )
    metal = torch.tensor([0.95, 0.78, 0.42]).to(f).expand_as(skin)
    frame = torch.tensor([0.10, 0.085, 0.09]).to(f).expand_as(skin)
    colors = (
        skin,
        hair,
        _along(f[:, column("eye_hue")], _IRIS),
        lips,
        cloth,
        hat,
        metal,
        frame,
        background,
    )
    return Palette(*(_linear(c.clamp(0, 1))[..., None] for c in colors))
