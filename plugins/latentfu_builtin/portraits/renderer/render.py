"""Portraits from factors: the way from a row of numbers to pixels."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, measure_anatomy, ramp
from latentfu_builtin.portraits.renderer.factors import FACTORS, column
from latentfu_builtin.portraits.renderer.head import head_distance, rough_distance
from latentfu_builtin.portraits.renderer.paint import paint_head
from latentfu_builtin.portraits.renderer.palette import Palette, palette
from latentfu_builtin.portraits.renderer.parts import CurvePoint, body_distance, cloth_line, room
from latentfu_builtin.portraits.renderer.shading import (
    Finish,
    Rays,
    lamps,
    lit,
    openness,
    shadow,
    trace,
)
from latentfu_builtin.portraits.renderer.view import (
    PIVOT,
    PortraitPlacement,
    Size,
    height_width,
    rotation,
    to_view,
    view_axes,
    view_to_pixels,
)
from latentfu_builtin.portraits.renderer.worn import Dressing, earring, earrings_over, glasses_over

P = ParamSpec("P")
T = TypeVar("T")

# Samples worked on at once: large enough for two cores, small enough for the cache.
_BLOCK_SAMPLES = 1 << 17
_HEAD_STEPS, _BODY_STEPS = (4, 4), (0, 5)
_COARSE_PIXEL = 1 / 64  # samples of a 64 pixel picture; finer ones need more steps


@dataclass(frozen=True)
class Sitter:
    """All that the samples of a batch of portraits have in common."""

    factors: Tensor
    anatomy: Anatomy
    colors: Palette
    turn: Tensor  # [N, 3, 3] from head to view
    backdrop: int | None = None
    compiled: bool = False


@dataclass(frozen=True)
class View:
    """Samples to color, ``u, v [1, P]``, and their distance."""

    u: Tensor
    v: Tensor
    pixel: float


@torch.no_grad()
def render(
    factors: Tensor,
    size: Size,
    *,
    placement: PortraitPlacement | None = None,
    supersample: int = 2,
    backdrop: int | None = None,
    compiled: bool = False,
) -> Tensor:
    """Portraits ``[N, 3, H, W]`` in [-1, 1] of factors ``[N, F]`` in [-1, 1].

    ``size`` is one side or (height, width); ``placement`` says where the standard
    square crop lies in it. Every pixel is the mean of ``supersample`` squared samples.
    ``backdrop``: the seed of a room behind the sitters, None for the plain wall that the
    networks learn from. ``compiled``: by torch.compile, which takes minutes and a C++ compiler
    once, then draws three times as many; worth it for thousands of equal size.
    """
    _check(factors)
    height, width = height_width(size)
    u, v = (axis.to(factors) for axis in view_axes(size, placement, supersample))
    pixel = float(u[1] - u[0])
    pictures = factors.new_empty(factors.shape[0], 3, height, width)
    row_samples = width * supersample * supersample
    rows = max(1, min(height, _BLOCK_SAMPLES // row_samples))
    count = max(1, _BLOCK_SAMPLES // (row_samples * rows))
    for first in range(0, factors.shape[0], count):
        part = factors[first : first + count]
        sitter = Sitter(
            part, measure_anatomy(part), palette(part), rotation(part), backdrop, compiled
        )
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            band = v[top * supersample : bottom * supersample]
            color = _band(sitter, u, band, pixel).reshape(len(part), 3, len(band), len(u))
            color = F.avg_pool2d(color.clamp(0, 1), supersample)
            pictures[first : first + count, :, top:bottom] = color.sqrt() * 2 - 1
    return pictures


def _band(sitter: Sitter, u: Tensor, v: Tensor, pixel: float) -> Tensor:
    """Linear colors ``[N, 3, P]`` of the samples at columns ``u`` and rows ``v``."""
    v, u = (axis.reshape(1, -1) for axis in torch.meshgrid(v, u, indexing="ij"))
    picture = _background(sitter, u, v)
    depth = torch.full_like(picture[:, 0], -9.0)
    low = int((v[0] > -0.25).sum())  # rows come from the top, the body lies below
    if low < v.shape[1]:
        below = View(u[:, low:], v[:, low:], pixel)
        lay_body = _quick(_body) if sitter.compiled else _body
        lay_body(sitter, below, picture[:, :, low:], depth[:, low:])
    if float(v.min()) < 1.05 and float(v.max()) > -1.3:
        lay_head = _quick(_head) if sitter.compiled else _head
        picture = lay_head(sitter, View(u, v, pixel), picture, depth)
    return picture


@functools.cache
def _quick(part: Callable[P, T]) -> Callable[P, T]:
    """The part compiled for each shape it meets. Of a few small functions inside the compiler
    tires, and says so at length; they run as they are."""
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    return torch.compile(part, dynamic=False)


def _background(sitter: Sitter, u: Tensor, v: Tensor) -> Tensor:
    glow = 1.12 - 0.3 * torch.tanh(0.6 * (u * u + (v - 0.25) ** 2)) + 0.08 * torch.tanh(v)
    wall = sitter.colors.background * glow[:, None]
    return wall if sitter.backdrop is None else wall * room(sitter.backdrop, u, v)


def _body(sitter: Sitter, view: View, picture: Tensor, depth: Tensor) -> None:
    """Lay neck and shoulders over ``picture`` and ``depth`` in place."""
    a, n = sitter.anatomy, sitter.factors.shape[0]
    u, v, pixel = view.u, view.v, view.pixel
    one = torch.ones(n, 1).to(u)
    base = CurvePoint(u.expand(n, -1), v.expand(n, -1), torch.zeros_like(depth))
    rays = Rays(base, CurvePoint(0 * one, 0 * one, one), pixel)

    def solid(p: CurvePoint) -> Tensor:
        return body_distance(p, a)

    hit = trace(solid, solid, rays, torch.full_like(depth, 0.35), _finer(_BODY_STEPS, pixel))
    light = lamps(sitter.factors, torch.eye(3).to(u).expand(n, 3, 3))
    cloth = ramp(cloth_line(hit.point), -0.5 * pixel - 0.004, 0.5 * pixel + 0.004)
    rim = ramp((cloth_line(hit.point) - 0.035).abs(), 0.012, 0.0)
    skin = sitter.colors.skin.expand(-1, -1, u.shape[1])
    albedo = torch.lerp(skin, sitter.colors.cloth * (1 - 0.4 * rim[:, None]), cloth[:, None])
    finish = Finish(albedo, 0.05 * (1 - cloth), 1 - cloth)
    # The head keeps light from the neck, most just under the jaw.
    under = _under_head(sitter, hit.point)
    color = lit(hit.normal, light, finish, under, 0.3 + 0.7 * under)
    picture.copy_(torch.lerp(picture, color, hit.cover[:, None]))
    depth.copy_(torch.where(hit.cover > 0.5, hit.z, depth))


def _finer(steps: tuple[int, int], pixel: float) -> tuple[int, int]:
    """Tracing steps for a sample size: what a coarse sample blurs, a fine one resolves."""
    extra = max(0.0, 3 * math.log2(_COARSE_PIXEL / pixel))
    return steps[0], steps[1] + round(extra)


def _under_head(sitter: Sitter, p: CurvePoint) -> Tensor:
    f = sitter.factors
    side = column("light_x")
    lx = 0.5 * f[:, side : side + 1]
    return 0.25 + 0.75 * ramp(p.y + 0.12 * p.x * lx, -0.6, -0.95)


def _head(sitter: Sitter, view: View, picture: Tensor, depth: Tensor) -> Tensor:
    """The picture with the head and what it wears laid over it."""
    a, u, v, pixel = sitter.anatomy, view.u, view.v, view.pixel
    rays = _head_rays(sitter.turn, u, v, pixel)
    start = 0.9 * (1 - (u * u + v * v) * 0.7).clamp(min=0.1).sqrt().expand_as(depth)

    def solid(p: CurvePoint) -> Tensor:
        return head_distance(p, a, pixel)

    def rough(p: CurvePoint) -> Tensor:
        return rough_distance(p, a, pixel)

    hit = trace(solid, rough, rays, start, _finer(_HEAD_STEPS, pixel))
    light = lamps(sitter.factors, sitter.turn)
    finish, normal = paint_head(hit, a, sitter.colors, pixel)
    lit_part = shadow(rough, hit, light.key, (0.1, 0.25))
    color = lit(normal, light, finish, lit_part, openness(solid, hit, 0.08))
    front = hit.cover * ramp(hit.z - depth, -0.03, 0.01)
    picture = torch.lerp(picture, color, front[:, None])
    depth = torch.where(front > 0.5, hit.z, depth)
    dressing = Dressing(rays, a, sitter.colors, light, view.pixel)
    picture = earrings_over(picture, depth, dressing)
    return glasses_over(picture, depth, dressing)


def _head_rays(turn: Tensor, u: Tensor, v: Tensor, pixel: float) -> Rays:
    """View rays through ``u, v [1, P]`` in the frame of heads turned by ``turn``."""
    m = turn.unsqueeze(-1)  # [N, 3, 3, 1]; the columns are the head axes in view
    x, y = u - PIVOT[0], v - PIVOT[1]
    base = [x * m[:, 0, i] + y * m[:, 1, i] - PIVOT[2] * m[:, 2, i] + PIVOT[i] for i in range(3)]
    return Rays(CurvePoint(*base), CurvePoint(*(m[:, 2, i] for i in range(3))), pixel)


@torch.no_grad()
def landmarks(factors: Tensor, size: Size, *, placement: PortraitPlacement | None = None) -> Tensor:
    """Pixel positions ``[N, 5, 2]`` (x, y) of eyes, nose tip and mouth corners.

    In the order of the picture for an unturned head: eye on the left, eye on the
    right, nose tip, mouth corner on the left, mouth corner on the right.
    """
    _check(factors)
    a = measure_anatomy(factors)
    wide = a.mouth.half_width
    corner_y = a.mouth.y + 0.5 * a.mouth.curve
    x = torch.cat([-a.eyes.x + 0 * wide, a.eyes.x + 0 * wide, 0 * wide, -wide, wide], 1)
    y = torch.cat([a.eyes.y + 0 * wide, a.eyes.y + 0 * wide, a.nose.tip_y, corner_y, corner_y], 1)
    front = torch.full_like(wide, 0.42)
    z = torch.cat([front, front, a.nose.tip_z, front, front], 1)
    points = torch.stack([x, y, z], -1)
    return view_to_pixels(to_view(points, rotation(factors))[..., :2], size, placement)


@torch.no_grad()
def earrings(factors: Tensor, size: Size, *, placement: PortraitPlacement | None = None) -> Tensor:
    """Pixel positions ``[N, 2, 2]`` (x, y) of the earrings, left and right in the picture; far
    outside it where none are worn."""
    _check(factors)
    a = measure_anatomy(factors)
    sides = [earring(a, side) for side in (-1.0, 1.0)]
    points = torch.stack([torch.cat([p.x, p.y, p.z], 1) for p in sides], 1)  # [N, 2, 3]
    places = view_to_pixels(to_view(points, rotation(factors))[..., :2], size, placement)
    return places.where((a.extras.earrings_on > 0)[:, None], -9.0 * max(height_width(size)))


def _check(factors: Tensor) -> None:
    if factors.ndim != 2 or factors.shape[1] != len(FACTORS):
        raise ValueError(f"need factors of shape [N, {len(FACTORS)}], got {tuple(factors.shape)}")
