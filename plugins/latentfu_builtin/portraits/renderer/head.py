"""The surface of the head: skull, face, ears, with hair and beard as its thickness."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, Mouth, ramp
from latentfu_builtin.portraits.renderer.parts import (
    CurvePoint,
    beard_region,
    blend,
    curtain,
    ellipsoid,
    hair_thickness,
    hat_solid,
    lobe,
)


def head_distance(p: CurvePoint, a: Anatomy, pixel: float) -> Tensor:
    """Distance to all that turns with the head, ``[N, P]``."""
    skin = skin_distance(p, a, pixel)
    d = blend(skin, curtain(p, a, pixel), 0.03)
    if bool((a.extras.hat_on > 0).any()):
        d = torch.minimum(d, hat_solid(p, a))
    return d


def rough_distance(p: CurvePoint, a: Anatomy, pixel: float) -> Tensor:
    """Distance to the head without its small features: to come near and for shadows."""
    side = p.x.abs()
    d = torch.minimum(_bone(p, side, a), _nose(p, side, a))
    d = d - hair_thickness(p, side, a, 1.0)
    if bool((a.hair.long > 0).any()):
        d = torch.minimum(d, curtain(p, a, 1.0))
    if bool((a.extras.hat_on > 0).any()):
        d = torch.minimum(d, hat_solid(p, a))
    return d


def skin_distance(p: CurvePoint, a: Anatomy, pixel: float) -> Tensor:
    """Distance to skin with short hair and beard on it."""
    side = p.x.abs()
    d = blend(_bone(p, side, a), _nose(p, side, a), 0.05)
    front = ramp(p.z, 0.05, 0.3)
    d = d - front * _relief(p, side, a)
    d = blend(d, _lids(p, side, a), 0.025)
    d = blend(d, _ear(p, side, a), 0.03)
    d = d - hair_thickness(p, side, a, pixel)
    if bool((a.extras.beard_on > 0).any()):
        # It stands off gently from the cheeks and full below the chin.
        length = 0.006 + (0.02 + 0.055 * ramp(p.y, -0.3, -0.52)) * a.extras.beard
        d = d - beard_region(p, side, a) ** 2 * a.extras.beard_on * length
    return d


def _bone(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    s = a.skull
    skull = ellipsoid(CurvePoint(p.x, p.y - 0.2, p.z + 0.1), s.half_width * 1.04, 0.5, 0.56)
    # The jaw broadens the lower face, a pointed chin narrows it.
    low = ramp(p.y, 0.05, -0.45)
    wide = s.half_width * (0.96 + s.jaw * low)
    mid_y = (s.chin_y - 0.1 + 0.42) / 2
    face = ellipsoid(CurvePoint(p.x, p.y - mid_y, p.z - 0.04), wide, 0.42 - mid_y, 0.44)
    return blend(skull, face, 0.12)


def _nose(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    n = a.nose
    # A round cone from between the eyes to the tip.
    top_y, top_z, top_r = 0.1, 0.415, 0.035
    dy, dz = n.tip_y - top_y, n.tip_z - n.radius - top_z
    h = (((p.y - top_y) * dy + (p.z - top_z) * dz) / (dy * dy + dz * dz)).clamp(0, 1)
    y, z = p.y - top_y - h * dy, p.z - top_z - h * dz
    bridge = (p.x * p.x + y * y + z * z + 1e-8).sqrt() - (top_r + h * h * (n.radius - top_r))
    wing = ellipsoid(
        CurvePoint(side - n.radius * 0.95, p.y - n.tip_y + 0.012, p.z - n.tip_z + 0.115),
        0.05,
        0.045,
        0.07,
    )
    return blend(bridge, wing, 0.04)


def _lids(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    x, y, z = side - a.eyes.x, p.y - a.eyes.y, p.z - 0.295
    return (x * x + y * y + z * z + 1e-8).sqrt() - a.eyes.ball


def _ear(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    x = side - a.skull.half_width - 0.02 + 0.35 * (p.z + 0.05)
    return ellipsoid(CurvePoint(x, p.y + 0.01 - 0.25 * x, p.z + 0.05), 0.04, 0.13, 0.085)


def _relief(p: CurvePoint, side: Tensor, a: Anatomy) -> Tensor:
    """Hills and hollows on the front of the face."""
    s = a.skull
    relief = lobe(side - 0.2, p.y - a.eyes.y - 0.03, 0.17, 0.13) * -0.04
    relief = relief + lobe(side - 0.17, p.y - 0.19, 0.2, 0.09) * s.brow_ridge
    relief = relief + lobe(side - 0.26, p.y + 0.14, 0.21, 0.19) * s.cheeks
    relief = relief + lobe(side - 0.27, p.y + 0.42, 0.17, 0.2) * (0.035 * s.sag - 0.012)
    relief = relief + lobe(p.x, p.y - s.chin_y, 0.16, 0.13) * s.chin
    return relief + _lip_relief(p, a.mouth)


def lip_curves(x: Tensor, m: Mouth) -> tuple[Tensor, Tensor, Tensor]:
    """Fullness 0..1 across the mouth, and the heights of both edges of the opening."""
    r = x / m.half_width
    r = r * r
    full = (1 - r).clamp(min=0)
    middle = m.y + m.curve * (r.clamp(max=2) - 0.5)
    return full, middle + 0.22 * m.open * full, middle - m.open * full


def _lip_relief(p: CurvePoint, m: Mouth) -> Tensor:
    full, top, bottom = lip_curves(p.x, m)
    upper = (p.y - top - 0.4 * m.upper) / (1.1 * m.upper)
    lower = (p.y - bottom + 0.45 * m.lower) / (1.1 * m.lower)
    hills = (1 - upper * upper).clamp(min=0) + (1 - lower * lower).clamp(min=0)
    muzzle = lobe(p.x, p.y - m.y, 0.24, 0.2) * 0.03
    return full * hills * 0.03 + muzzle
