"""Finding where the view rays meet a solid, its normals, and what shades it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import ramp
from latentfu_builtin.portraits.renderer.shapes import Point

Solid = Callable[[Point], Tensor]


@dataclass(frozen=True)
class Rays:
    """Parallel view rays in the frame of a solid: ``base + z * step``.

    ``base`` is ``[N, P]`` per axis, ``step`` (the way to the viewer) ``[N, 1]``;
    ``pixel`` is the distance of neighbouring rays.
    """

    base: Point
    step: Point
    pixel: float

    def at(self, z: Tensor) -> Point:
        """Points at view depth ``z [N, P]``."""
        b, s = self.base, self.step
        return Point(b.x + z * s.x, b.y + z * s.y, b.z + z * s.z)


@dataclass(frozen=True)
class Hit:
    """Where rays meet a solid: depth, coverage 0..1, point and unit normal."""

    z: Tensor
    cover: Tensor
    point: Point
    normal: Point


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
    return Hit(z, cover, point, normals(solid, point, d, max(0.005, 0.7 * rays.pixel)))


def normals(solid: Solid, p: Point, d: Tensor, gap: float) -> Point:
    """Unit normals from differences over ``gap``."""
    x = solid(Point(p.x + gap, p.y, p.z)) - d
    y = solid(Point(p.x, p.y + gap, p.z)) - d
    z = solid(Point(p.x, p.y, p.z + gap)) - d
    return unit(x, y, z)


def unit(x: Tensor, y: Tensor, z: Tensor) -> Point:
    """The vectors scaled to length one."""
    scale = (x * x + y * y + z * z + 1e-12).rsqrt()
    return Point(x * scale, y * scale, z * scale)


def dot(a: Point, b: Point) -> Tensor:
    """Inner products."""
    return a.x * b.x + a.y * b.y + a.z * b.z


def along(p: Point, way: Point, far: float) -> Point:
    """The points ``far`` along ``way``."""
    return Point(p.x + far * way.x, p.y + far * way.y, p.z + far * way.z)


def shadow(rough: Solid, hit: Hit, light: Point, taps: tuple[float, ...]) -> Tensor:
    """Light that reaches the hit, 0..1, from distances on the way to the light."""
    start = along(hit.point, hit.normal, 0.045)
    lit = torch.ones_like(hit.z)
    for far in taps:
        d = rough(along(start, light, far))
        lit = torch.minimum(lit, 0.5 + d / (0.45 * far + 0.03))
    return ramp(lit, 0.0, 1.0)


def openness(solid: Solid, hit: Hit, far: float) -> Tensor:
    """Ambient light that reaches the hit, 0..1: how free the space above it is."""
    return (solid(along(hit.point, hit.normal, far)) / far).clamp(0, 1)
