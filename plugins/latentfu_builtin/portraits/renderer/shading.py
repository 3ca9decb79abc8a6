"""Where view rays meet a solid, and how it is lit: key light, fill and rim, in linear color."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import ramp
from latentfu_builtin.portraits.renderer.factors import column
from latentfu_builtin.portraits.renderer.parts import CurvePoint

Solid = Callable[[CurvePoint], Tensor]


@dataclass(frozen=True)
class Rays:
    """Parallel view rays in the frame of a solid: ``base + z * step``.

    ``base`` is ``[N, P]`` per axis, ``step`` (the way to the viewer) ``[N, 1]``;
    ``pixel`` is the distance of neighboring rays.
    """

    base: CurvePoint
    step: CurvePoint
    pixel: float

    def at(self, z: Tensor) -> CurvePoint:
        """Points at view depth ``z [N, P]``."""
        b, s = self.base, self.step
        return CurvePoint(b.x + z * s.x, b.y + z * s.y, b.z + z * s.z)


@dataclass(frozen=True)
class Hit:
    """Where rays meet a solid: depth, coverage 0..1, point and unit normal."""

    z: Tensor
    cover: Tensor
    point: CurvePoint
    normal: CurvePoint


def trace(solid: Solid, rough: Solid, rays: Rays, z: Tensor, steps: tuple[int, int]) -> Hit:
    """Follow the rays from depth ``z``: first against a rough solid, then the true one."""
    closest = torch.full_like(z, 9.0)
    last_z, last_d = z, closest
    for index in range(sum(steps)):
        fine = index >= steps[0]
        d = (solid if fine else rough)(rays.at(z))
        if fine:
            closest = torch.minimum(closest, d)
        # Where the ray runs slantwise the distance shrinks slowly: step further.
        slope = ((last_d - d) / (last_z - z + 1e-9)) if index not in (0, steps[0]) else None
        last_z, last_d = z, d
        z = z - (d if slope is None else d / slope.clamp(0.3, 1.0))
    point = rays.at(z)
    d = solid(point)
    closest = torch.minimum(closest, d)
    # A ray that meets the surface ends at distance zero, so coverage fades outside it.
    cover = (1.2 - closest / rays.pixel).clamp(0, 1)
    return Hit(z, cover, point, _normals(solid, point, d, max(0.005, 0.7 * rays.pixel)))


def _normals(solid: Solid, p: CurvePoint, d: Tensor, gap: float) -> CurvePoint:
    """Unit normals from differences over ``gap``."""
    x = solid(CurvePoint(p.x + gap, p.y, p.z)) - d
    y = solid(CurvePoint(p.x, p.y + gap, p.z)) - d
    z = solid(CurvePoint(p.x, p.y, p.z + gap)) - d
    return scale_to_unit(x, y, z)


def scale_to_unit(x: Tensor, y: Tensor, z: Tensor) -> CurvePoint:
    """The vectors scaled to length one."""
    scale = (x * x + y * y + z * z + 1e-12).rsqrt()
    return CurvePoint(x * scale, y * scale, z * scale)


def dot(a: CurvePoint, b: CurvePoint) -> Tensor:
    """Inner products."""
    return a.x * b.x + a.y * b.y + a.z * b.z


def _along(p: CurvePoint, way: CurvePoint, far: float) -> CurvePoint:
    """The points ``far`` along ``way``."""
    return CurvePoint(p.x + far * way.x, p.y + far * way.y, p.z + far * way.z)


def shadow(rough: Solid, hit: Hit, light: CurvePoint, taps: tuple[float, ...]) -> Tensor:
    """Light that reaches the hit, 0..1, from distances on the way to the light."""
    start = _along(hit.point, hit.normal, 0.045)
    lit = torch.ones_like(hit.z)
    for far in taps:
        d = rough(_along(start, light, far))
        lit = torch.minimum(lit, 0.5 + d / (0.45 * far + 0.03))
    return ramp(lit, 0.0, 1.0)


def openness(solid: Solid, hit: Hit, far: float) -> Tensor:
    """Ambient light that reaches the hit, 0..1: how free the space above it is."""
    return (solid(_along(hit.point, hit.normal, far)) / far).clamp(0, 1)


@dataclass(frozen=True)
class Light:
    """The lamps of a batch, directions in the frame of the lit solid, ``[N, 1]`` each."""

    key: CurvePoint
    up: CurvePoint
    viewer: CurvePoint
    half: CurvePoint  # half way between key and viewer, for highlights
    color: Tensor  # [N, 3, 1]


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
    color = torch.stack([1 + warm, 1 + 0.12 * warm, 1 - 1.2 * warm], -1)
    return Light(
        key=_local(key, turn),
        up=_local(frame[1].expand_as(key), turn),
        viewer=_local(frame[2].expand_as(key), turn),
        half=_local(half, turn),
        color=color[..., None],
    )


def _local(way: Tensor, turn: Tensor) -> CurvePoint:
    x, y, z = (way[:, None, :] @ turn)[:, 0, :, None].unbind(1)
    return CurvePoint(x, y, z)


@dataclass(frozen=True)
class Finish:
    """How a surface answers light, ``[N, P]`` or numbers."""

    albedo: Tensor  # [N, 3, P]
    gloss: Tensor  # strength of the highlight
    skin: Tensor  # 1 where light bleeds red through the surface


def _shine(normal: CurvePoint, light: Light, power: int) -> Tensor:
    """Highlight, 0..1; ``power`` is two to the number of squarings."""
    value = dot(normal, light.half).clamp(min=0)
    for _ in range(power):
        value = value * value
    return value


def lit(normal: CurvePoint, light: Light, finish: Finish, shadow: Tensor, free: Tensor) -> Tensor:
    """Linear color ``[N, 3, P]`` of a surface."""
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
    gloss = finish.gloss * _shine(normal, light, 4) * shadow
    tint = torch.tensor([0.94, 1.0, 1.1]).to(fill).view(1, 3, 1)
    diffuse = red * (1.08 * light.color) + fill[:, None] * tint
    return finish.albedo * (diffuse + edge[:, None]) + (gloss + 0.12 * edge)[:, None] * light.color
