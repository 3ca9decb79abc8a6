"""Plain solids, and the parts of a portrait made of them: hair, hat, body, backdrop.

Distances are in units of the head, ``[N, P]`` for P points.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, ramp

Length = Tensor | float
BRIM_Y = 0.43
_DISCS, _PANELS = 14, 3


class CurvePoint(NamedTuple):
    """Coordinates ``[N, P]`` each."""

    x: Tensor
    y: Tensor
    z: Tensor


def ellipsoid(p: CurvePoint, rx: Length, ry: Length, rz: Length) -> Tensor:
    """Distance to an ellipsoid at the origin, exact to first order at the surface."""
    x, y, z = p.x / rx, p.y / ry, p.z / rz
    k0 = (x * x + y * y + z * z).sqrt()
    x, y, z = x / rx, y / ry, z / rz
    k1 = (x * x + y * y + z * z + 1e-8).rsqrt()
    return k0 * (k0 - 1) * k1


def blend(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Union of two solids with a fillet of the given width."""
    h = (width - (a - b).abs()).clamp(min=0)
    return torch.minimum(a, b) - h * h * (0.25 / width)


def _carve(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Intersection of two solids with a rounded edge."""
    return -blend(-a, -b, width)


def lobe(x: Tensor, y: Tensor, sx: float, sy: float) -> Tensor:
    """A smooth hill of height one over an ellipse, zero beyond it: (1 - r^2)^2."""
    x, y = x * (1 / sx), y * (1 / sy)
    r = (1 - x * x - y * y).clamp(min=0)
    return r * r


def _present(d: Tensor, amount: Tensor, gap: float) -> Tensor:
    """The solid moved ``gap`` away as ``amount`` falls to zero, and out of reach at zero.

    Out of reach, so that a portrait looks the same next to whatever others wear.
    """
    return d + (1 - amount) * gap + torch.where(amount > 0, 0.0, 9.0)


def hairline(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    """Height above the hairline, positive where hair grows.

    The line is the cut of a slanted plane with the head: high on the forehead, past
    the temples, in front of the ears and down to the nape.
    """
    h = a.hair
    front = ramp(p.z, 0.0, 0.3)
    middle = (1 - (p.x / 0.36) ** 2).clamp(min=0)
    # Temples go back first; a fringe comes down as a broad arch.
    temple = (1 - ((side - 0.24) / 0.16) ** 2).clamp(min=0)
    moved = 0.3 * h.fringe * middle * front - h.line * (0.5 + temple) * front
    return p.y - 1.2 * p.z + 0.04 + moved


def hair_weight(p: CurvePoint, side: Tensor, a: Anatomy, pixel: float) -> Tensor:
    """Share of hair, 0..1, on the surface of the head."""
    soft = max(0.02, 1.5 * pixel)
    return ramp(hairline(p, side, a), -soft, soft) * a.hair.cover


def hair_thickness(p: CurvePoint, side: Tensor, a: Anatomy, pixel: float) -> Tensor:
    """How far short hair stands off the head; pressed flat under a hat."""
    h = a.hair
    rise = ramp(hairline(p, side, a), -0.02, 0.16)
    pressed = 1 - a.extras.hat_on * ramp(p.y, 0.25, 0.42)
    return rise * h.thickness * h.cover * pressed * (1 + 0.5 * h.curl * curls(p, pixel))


def curls(p: CurvePoint, pixel: float) -> Tensor:
    """Bumps in -1..1 that fade out where they are smaller than two pixels."""
    fade = min(1.0, max(0.0, 0.12 / max(pixel, 1e-6) - 1.0))
    a = torch.sin(p.x.abs() * 23 + 2 * p.y)
    b = torch.sin(p.y * 21 + 3 * p.z) * torch.sin(p.z * 19 + 1.3)
    return (a * 0.5 + b * 0.5) * fade


def curtain(p: CurvePoint, a: Anatomy, pixel: float) -> Tensor:
    """Distance to long hair hanging at both sides and behind the neck."""
    h = a.hair
    rx = a.skull.half_width + 0.04 + h.thickness * 0.8
    x, z = p.x / rx, (p.z + 0.13) * (1 / 0.42)
    tube = ((x * x + z * z + 1e-6).sqrt() - 1) * 0.42
    tube = tube - 0.02 * h.curl * curls(p, pixel)
    # Open in front, so that face and neck show.
    face = torch.minimum(0.29 - p.x.abs(), p.z + 0.2)
    d = _carve(tube, face, 0.06)
    d = _carve(d, p.z - 0.1, 0.06)
    d = _carve(d, torch.maximum(h.end_y - p.y, p.y - 0.15), 0.1)
    return _present(d, h.long * h.cover, 0.5)


def beard_region(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    """Share of beard, 0..1: sideburns, jaw, chin and moustache, free of the lips."""
    m = a.mouth
    # From below the mouth the edge climbs over the cheeks to the ears.
    edge = -0.38 + 0.12 * ramp(side, 0.08, 0.24) + 0.42 * ramp(side, 0.22, 0.46)
    jaw = ramp(edge - p.y, -0.05, 0.1)
    wing = a.nose.tip_y - 0.075 - 0.5 * (side - 0.03).clamp(min=0)
    moustache = ramp(wing - p.y, -0.02, 0.04) * ramp(side - m.half_width, 0.1, -0.02)
    region = torch.maximum(jaw, moustache * ramp(p.y - m.y, -0.25, -0.15))
    r = p.x / (m.half_width * 1.02)
    lip_y = m.y + m.curve * (r * r - 0.5) - m.open * 0.39
    lips = 1 - r * r - ((p.y - lip_y) / (m.upper * 1.25 + m.open * 0.61)) ** 2
    return region * ramp(lips, 0.1, -0.25) * ramp(p.z, -0.1, 0.0)


def hat_solid(p: CurvePoint, a: Anatomy) -> Tensor:
    """Distance to crown and brim, ``[N, P]``; far away where no hat is worn."""
    e = a.extras
    # The hat sits a little lower at the back.
    y = p.y - BRIM_Y + 0.08 * p.z
    width = a.skull.half_width * 1.02 + 0.045
    crown = ellipsoid(CurvePoint(p.x, y, p.z + 0.1), width, 0.36 + 0.13 * e.hat, 0.59)
    crown = torch.maximum(crown, -y)
    # The brim curls up at the sides.
    lifted = y - 0.12 * p.x * p.x
    brim = ellipsoid(CurvePoint(p.x, lifted, p.z + 0.06), width + 0.17, 0.03, 0.8)
    return _present(blend(crown, brim, 0.04), e.hat_on, 0.4)


def body_distance(p: CurvePoint, a: Anatomy) -> Tensor:
    """Distance to neck and clothed torso, ``[N, P]``, in view coordinates."""
    radius = 0.215 + 0.03 * a.male
    # The neck leans forward a little on its way up.
    z = p.z + 0.14 - 0.15 * (p.y + 0.8).clamp(-0.3, 0.6)
    neck = (p.x * p.x + z * z + 1e-6).sqrt() - radius - 0.12 * ramp(p.y, -0.6, -1.1)
    neck = torch.maximum(neck, p.y + 0.15)
    # Below the shoulder line the torso goes straight down, out of any picture.
    y = (p.y + 1.12).clamp(min=0)
    torso = ellipsoid(CurvePoint(p.x, y, p.z + 0.12), 0.93 + 0.09 * a.male, 0.33, 0.4)
    return blend(neck, torso, 0.14) - 0.018 * ramp(cloth_line(p), -0.01, 0.02)


def cloth_line(p: CurvePoint) -> Tensor:
    """Depth below the collar, positive on cloth."""
    round_neck = 0.2 * (1 - (p.x / 0.42) ** 2).clamp(min=0)
    return -0.71 - round_neck * ramp(p.z, -0.2, 0.1) - p.y


def room(seed: int, u: Tensor, v: Tensor) -> Tensor:
    """What the background's color is multiplied with, [1, 3, P], at samples ``u, v [1, P]``.

    The same room for every picture size, since it is drawn in view units.
    """
    draw = torch.Generator().manual_seed(seed)
    light = torch.ones(1, 3, u.shape[1]).to(u)
    for _ in range(_PANELS):
        place, tilt, amount = torch.rand(3, generator=draw).tolist()
        edge = u + 0.2 * (tilt - 0.5) * v - (4 * place - 2)
        light *= 1 + 0.5 * (amount - 0.6) * ramp(edge, -0.25, 0.25)[:, None]
    for _ in range(_DISCS):
        x, y, size, bright, warm = torch.rand(5, generator=draw).tolist()
        radius = 0.12 + 0.4 * size * size
        away = ((u - 4 * x + 2) ** 2 + (v - 2.6 * y + 0.9) ** 2).sqrt()
        disc = ramp(away, radius, 0.72 * radius)  # [1, P], 1 inside
        tint = torch.tensor([0.4 * warm + 0.8, 1.0, 1.2 - 0.4 * warm]).to(u)[None, :, None]
        light = torch.lerp(light, light * tint * (0.7 + 0.9 * bright), 0.55 * disc[:, None])
    floor = 0.8 + 0.2 * torch.sigmoid((v + 0.9) * math.pi)
    return light * floor[:, None]
