"""Glasses and earrings, laid over the finished head by depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, ramp
from latentfu_builtin.portraits.renderer.palette import Palette
from latentfu_builtin.portraits.renderer.parts import CurvePoint
from latentfu_builtin.portraits.renderer.shading import Light, Rays, dot

_GLASSES_Z = 0.53


@dataclass(frozen=True)
class Dressing:
    """The head that wears, its view rays, colors and light."""

    rays: Rays
    anatomy: Anatomy
    colors: Palette
    light: Light
    pixel: float


def glasses_over(picture: Tensor, depth: Tensor, on: Dressing) -> Tensor:
    """The picture with glasses where they are worn."""
    rays, a, colors, pixel = on.rays, on.anatomy, on.colors, on.pixel
    e = a.extras
    if not bool((e.glasses_on > 0).any()):
        return picture
    z = (_GLASSES_Z - rays.base.z) / rays.step.z
    p = rays.at(z)
    size = 0.82 + 0.3 * e.glasses
    x, y = p.x.abs() - 0.205, p.y - 0.045
    lens = _rounded(x, y, 0.155 * size, 0.125 * size, 0.085 * size)
    thick = 0.016 + 0.006 * e.glasses
    bridge = torch.maximum((p.y - 0.075 + 0.8 * p.x * p.x).abs() - thick * 0.8, p.x.abs() - 0.08)
    bridge = torch.maximum(bridge, -lens)
    rim = torch.minimum(lens.abs() - thick, bridge)
    seen = ramp(z - depth, -0.02, 0.0) * e.glasses_on
    weight = (0.5 - rim / pixel).clamp(0, 1)
    # A lens takes a little light and throws a slanted streak back.
    glass = (0.5 - lens / pixel).clamp(0, 1) * seen
    streak = ramp((x + 0.6 * y + 0.03 - 0.1).abs(), 0.045, 0.02) * 0.14
    picture = picture * (1 - 0.07 * glass)[:, None] + (glass * streak)[:, None]
    picture = torch.lerp(picture, _frame(picture, colors, lens, thick), (weight * seen)[:, None])
    return _temples(picture, depth, on)


def _rounded(x: Tensor, y: Tensor, w: Tensor, h: Tensor, r: Tensor) -> Tensor:
    dx, dy = x.abs() - w + r, y.abs() - h + r
    corner = (dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2 + 1e-9).sqrt()
    return corner + torch.maximum(dx, dy).clamp(max=0) - r


def _frame(picture: Tensor, colors: Palette, lens: Tensor, thick: Tensor) -> Tensor:
    """The rim is round: lighter along its middle."""
    round_ = (1 - (lens / thick) ** 2).clamp(min=0)
    return colors.frame.expand_as(picture) + (0.05 * round_ * round_)[:, None]


def _temples(picture: Tensor, depth: Tensor, on: Dressing) -> Tensor:
    rays, a, colors, pixel = on.rays, on.anatomy, on.colors, on.pixel
    # From the outer edge of a lens slantwise to above the ear.
    outer = 0.205 + 0.155 * (0.82 + 0.3 * a.extras.glasses)
    slant = (a.skull.half_width + 0.02 - outer) / _GLASSES_Z
    for side in (-1.0, 1.0):
        away = outer + slant * _GLASSES_Z - side * rays.base.x - slant * rays.base.z
        step = side * rays.step.x + slant * rays.step.z
        step = torch.where(step.abs() < 1e-3, torch.full_like(step, 1e-3), step)
        z = away / step
        p = rays.at(z)
        bar = torch.maximum((p.y - 0.09).abs() - 0.018, (p.z - 0.25).abs() - (_GLASSES_Z - 0.25))
        weight = (0.5 - bar / pixel).clamp(0, 1) * ramp(z - depth, -0.05, 0.0)
        weight = weight * a.extras.glasses_on
        picture = torch.lerp(picture, colors.frame.expand_as(picture), weight[:, None])
    return picture


def _radius(a: Anatomy) -> Tensor:
    e = a.extras
    return (0.03 + 0.03 * e.earrings) * e.earrings_on


def earring(a: Anatomy, side: float) -> CurvePoint:
    """The center of the earring on one side (-1 or 1) in the frame of the head."""
    radius = _radius(a)
    return CurvePoint(side * (a.skull.half_width + 0.045), -0.15 - radius, 0 * radius - 0.01)


def earrings_over(picture: Tensor, depth: Tensor, on: Dressing) -> Tensor:
    """The picture with earrings where they are worn."""
    rays, a, light = on.rays, on.anatomy, on.light
    e = a.extras
    if not bool((e.earrings_on > 0).any()):
        return picture
    radius = _radius(a)
    for side in (-1.0, 1.0):
        center = earring(a, side)
        away = CurvePoint(*(b - c for b, c in zip(rays.base, center, strict=True)))
        z = -dot(away, rays.step)
        near = CurvePoint(*(w + z * s for w, s in zip(away, rays.step, strict=True)))
        miss2 = dot(near, near)
        inner = (radius * radius - miss2).clamp(min=0).sqrt()
        weight = (0.5 - (miss2.sqrt() - radius) / on.pixel).clamp(0, 1) * e.earrings_on
        weight = weight * ramp(z + inner - depth, -0.03, 0.0)
        n = CurvePoint(
            *((q + inner * s) / (radius + 1e-4) for q, s in zip(near, rays.step, strict=True))
        )
        diffuse = 0.25 + 0.75 * dot(n, light.key).clamp(min=0)
        spark = ramp(dot(n, light.half), 0.9, 0.98)
        color = on.colors.metal * diffuse[:, None] + spark[:, None]
        picture = torch.lerp(picture, color, weight[:, None])
    return picture
