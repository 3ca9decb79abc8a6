"""Where hair and beard grow, and how thick they stand."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, ramp
from latentfu_builtin.portraits.renderer.shapes import Point, carve, present


def hairline(p: Point, side: Tensor, a: Anatomy) -> Tensor:
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


def hair_weight(p: Point, side: Tensor, a: Anatomy, pixel: float) -> Tensor:
    """Share of hair, 0..1, on the surface of the head."""
    soft = max(0.02, 1.5 * pixel)
    return ramp(hairline(p, side, a), -soft, soft) * a.hair.cover


def hair_thickness(p: Point, side: Tensor, a: Anatomy, pixel: float) -> Tensor:
    """How far short hair stands off the head; pressed flat under a hat."""
    h = a.hair
    rise = ramp(hairline(p, side, a), -0.02, 0.16)
    pressed = 1 - a.extras.hat_on * ramp(p.y, 0.25, 0.42)
    return rise * h.thickness * h.cover * pressed * (1 + 0.5 * h.curl * curls(p, pixel))


def curls(p: Point, pixel: float) -> Tensor:
    """Bumps in -1..1 that fade out where they are smaller than two pixels."""
    fade = min(1.0, max(0.0, 0.12 / max(pixel, 1e-6) - 1.0))
    a = torch.sin(p.x.abs() * 23 + 2 * p.y)
    b = torch.sin(p.y * 21 + 3 * p.z) * torch.sin(p.z * 19 + 1.3)
    return (a * 0.5 + b * 0.5) * fade


def curtain(p: Point, a: Anatomy, pixel: float) -> Tensor:
    """Distance to long hair hanging at both sides and behind the neck."""
    h = a.hair
    rx = a.skull.half_width + 0.04 + h.thickness * 0.8
    x, z = p.x / rx, (p.z + 0.13) * (1 / 0.42)
    tube = ((x * x + z * z + 1e-6).sqrt() - 1) * 0.42
    tube = tube - 0.02 * h.curl * curls(p, pixel)
    # Open in front, so that face and neck show.
    face = torch.minimum(0.29 - p.x.abs(), p.z + 0.2)
    d = carve(tube, face, 0.06)
    d = carve(d, p.z - 0.1, 0.06)
    d = carve(d, torch.maximum(h.end_y - p.y, p.y - 0.15), 0.1)
    return present(d, h.long * h.cover, 0.5)


def beard_region(p: Point, side: Tensor, a: Anatomy) -> Tensor:
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
