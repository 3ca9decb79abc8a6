"""Key light, fill and rim, in linear colour."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.factors import column
from latentfu_builtin.portraits.renderer.shapes import Point
from latentfu_builtin.portraits.renderer.trace import dot, unit


@dataclass(frozen=True)
class Light:
    """The lamps of a batch, directions in the frame of the lit solid, ``[N, 1]`` each."""

    key: Point
    up: Point
    viewer: Point
    half: Point  # half way between key and viewer, for highlights
    colour: Tensor  # [N, 3, 1]


def lamps(factors: Tensor, turn: Tensor) -> Light:
    """Lamps of factors ``[N, F]`` for a solid turned by ``turn [N, 3, 3]``."""
    side = 0.95 * factors[:, column("light_x")]
    height = 0.42 + 0.55 * factors[:, column("light_y")]
    key = torch.stack([side, height, torch.full_like(side, 0.8)], -1)
    key = key / key.norm(dim=-1, keepdim=True)
    frame = torch.eye(3).to(factors)
    half = key + frame[2]
    half = half / half.norm(dim=-1, keepdim=True)
    warm = 0.22 * factors[:, column("light_warmth")]
    colour = torch.stack([1 + warm, 1 + 0.12 * warm, 1 - 1.2 * warm], -1)
    return Light(
        key=_local(key, turn),
        up=_local(frame[1].expand_as(key), turn),
        viewer=_local(frame[2].expand_as(key), turn),
        half=_local(half, turn),
        colour=colour[..., None],
    )


def _local(way: Tensor, turn: Tensor) -> Point:
    x, y, z = (way[:, None, :] @ turn)[:, 0, :, None].unbind(1)
    return Point(x, y, z)


@dataclass(frozen=True)
class Finish:
    """How a surface answers light, ``[N, P]`` or numbers."""

    albedo: Tensor  # [N, 3, P]
    gloss: Tensor  # strength of the highlight
    skin: Tensor  # 1 where light bleeds red through the surface


def shine(normal: Point, light: Light, power: int) -> Tensor:
    """Highlight, 0..1; ``power`` is two to the number of squarings."""
    value = dot(normal, light.half).clamp(min=0)
    for _ in range(power):
        value = value * value
    return value


def lit(normal: Point, light: Light, finish: Finish, shadow: Tensor, free: Tensor) -> Tensor:
    """Linear colour ``[N, 3, P]`` of a surface."""
    facing = dot(normal, light.key)
    # Skin lets light round the edge of the shadow, tinted red.
    wrapped = ((facing + 0.3) * (1 / 1.3)).clamp(min=0)
    direct = wrapped * wrapped * shadow
    bleed = (wrapped * shadow - direct) * finish.skin
    red = torch.stack([direct + 0.45 * bleed, direct + 0.1 * bleed, direct + 0.06 * bleed], 1)
    sky = (0.5 + 0.5 * dot(normal, light.up)) * (0.35 + 0.65 * free)
    fill = (0.13 + 0.24 * sky) * (0.3 + 0.7 * free)
    edge = (1 - dot(normal, light.viewer)).clamp(0, 1)
    edge = edge * edge * edge * (0.15 + 0.1 * sky)
    gloss = finish.gloss * shine(normal, light, 4) * shadow
    tint = torch.tensor([0.94, 1.0, 1.1]).to(fill).view(1, 3, 1)
    diffuse = red * (1.08 * light.colour) + fill[:, None] * tint
    return finish.albedo * (diffuse + edge[:, None]) + (gloss + 0.12 * edge)[:, None] * light.colour


__all__ = ["Finish", "Light", "lamps", "lit", "shine", "unit"]
