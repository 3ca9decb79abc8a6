"""Color on the head: lips, eyes, brows, beard, wrinkles, hair, in head coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from latentfu_builtin.portraits.renderer.anatomy import Anatomy, ramp
from latentfu_builtin.portraits.renderer.head import lip_curves, skin_distance
from latentfu_builtin.portraits.renderer.palette import Palette
from latentfu_builtin.portraits.renderer.parts import (
    BRIM_Y,
    CurvePoint,
    beard_region,
    curtain,
    hair_weight,
    hairline,
    hat_solid,
    lobe,
)
from latentfu_builtin.portraits.renderer.shading import Finish, Hit, scale_to_unit


@dataclass
class Coat:
    """What is being painted: color ``[N, 3, P]``, gloss and skin share ``[N, P]``."""

    albedo: Tensor
    gloss: Tensor
    skin: Tensor
    normal: CurvePoint

    def cover(self, weight: Tensor, color: Tensor, gloss: float, skin: float = 0.0) -> None:
        """Lay ``color`` (``[N, 3, 1]`` or ``[N, 3, P]``) over, as far as ``weight`` says."""
        self.albedo = torch.lerp(self.albedo, color.expand_as(self.albedo), weight[:, None])
        self.gloss = torch.lerp(self.gloss, torch.full_like(self.gloss, gloss), weight)
        self.skin = torch.lerp(self.skin, torch.full_like(self.skin, skin), weight)

    def darken(self, amount: Tensor) -> None:
        """Multiply the color by ``1 - amount``, green and blue a little more."""
        r = 1 - amount
        self.albedo = self.albedo * torch.stack([r, r * r.sqrt(), r * r.sqrt()], 1)


@dataclass(frozen=True)
class Face:
    """What is painted on: points of the head, how far they lie in front, and its measures."""

    p: CurvePoint
    side: Tensor  # |x|
    front: Tensor  # 1 on the front of the face, 0 on the sides
    anatomy: Anatomy
    colors: Palette
    pixel: float


def _gray(level: float, like: Tensor) -> Tensor:
    """A neutral linear color ``[1, 3, 1]``."""
    return torch.full((1, 3, 1), level, dtype=like.dtype, device=like.device)


def paint_head(hit: Hit, a: Anatomy, colors: Palette, pixel: float) -> tuple[Finish, CurvePoint]:
    """Finish of the head and its normals with the eyeballs in."""
    p = hit.point
    face = Face(p, p.x.abs(), ramp(p.z, 0.12, 0.26), a, colors, pixel)
    coat = Coat(
        colors.skin.expand(-1, -1, p.x.shape[1]),
        torch.full_like(p.x, 0.1),
        torch.ones_like(p.x),
        hit.normal,
    )
    _complexion(coat, face)
    _wrinkles(coat, face)
    _mouth(coat, face)
    _beard(coat, face)
    _eyes(coat, face)
    _brows(coat, face)
    _hair(coat, face)
    return Finish(coat.albedo, coat.gloss, coat.skin), coat.normal


def _complexion(coat: Coat, face: Face) -> None:
    """Ruddy cheeks and nose, darker sockets and hair shadow on the forehead."""
    p, side, front, a = face.p, face.side, face.front, face.anatomy
    flush = lobe(side - 0.26, p.y + 0.15, 0.2, 0.17) + lobe(p.x, p.y - a.nose.tip_y, 0.13, 0.1)
    flush = flush * front * (0.22 - 0.06 * a.male)
    coat.albedo = coat.albedo * torch.stack([1 + 0 * flush, 1 - flush, 1 - 0.85 * flush], 1)
    socket = lobe(side - 0.18, p.y - a.eyes.y, 0.17, 0.13) * (0.16 + 0.1 * a.age)
    under_hair = ramp(hairline(p, side, a), -0.14, 0.0) * a.hair.cover * 0.35
    nostril = lobe(side - 0.045, p.y - a.nose.tip_y + 0.055, 0.03, 0.022) * 0.75
    nostril = nostril * ramp(p.z, 0.4, 0.46)
    ear = lobe(p.z + 0.04, p.y, 0.05, 0.08) * ramp(side - a.skull.half_width, -0.02, 0.02) * 0.5
    coat.darken((socket * front + under_hair + nostril + ear).clamp(max=0.85))


def _wrinkles(coat: Coat, face: Face) -> None:
    """Forehead lines, crow's feet, bags, and the fold from nose to mouth."""
    p, side, front, a, pixel = face.p, face.side, face.front, face.anatomy, face.pixel
    fade = min(1.0, 0.03 / pixel)
    forehead = torch.sin((p.y + 0.25 * p.x * p.x) * 95).clamp(min=0) ** 2
    forehead = forehead * lobe(p.x, p.y - 0.37, 0.34, 0.12) * 0.5
    feet = torch.sin(p.y * 130 + side * 60 * (p.y - a.eyes.y)).clamp(min=0)
    feet = feet * lobe(side - 0.35, p.y - a.eyes.y, 0.06, 0.09) * 0.6
    bag_y = a.eyes.y - 0.085 + 2.2 * (side - a.eyes.x) ** 2
    bag = lobe(side - a.eyes.x, p.y - bag_y, 0.13, 0.022) * 0.45
    m = a.mouth
    # The fold runs from the wing of the nose past the corner of the mouth.
    t = ((a.nose.tip_y + 0.02 - p.y) / 0.24).clamp(0, 1.2)
    fold_x = 0.095 + (m.half_width - 0.045) * t**0.8
    fold = lobe(side - fold_x, (t - 0.6) * 0.3, 0.03, 0.2)
    deep = 0.55 * a.age + 2.2 * m.curve.clamp(min=0)
    lines = (forehead + feet) * fade * a.age + bag * (0.15 + 0.85 * a.age) + fold * deep
    coat.darken((lines * front).clamp(max=0.6))


def _mouth(coat: Coat, face: Face) -> None:
    p, front, a, colors, pixel = face.p, face.front, face.anatomy, face.colors, face.pixel
    m = a.mouth
    full, top, bottom = lip_curves(p.x, m)
    bow = 1 - 0.28 * lobe(p.x, p.x * 0, 0.045, 1.0)
    # Lips run out thin at the corners.
    taper = full**0.75
    upper_edge = top + m.upper * taper * bow
    lower_edge = bottom - m.lower * taper
    soft = max(0.008, pixel)
    inside = torch.minimum(upper_edge - p.y, p.y - lower_edge) / soft
    on = front * ramp(full, 0.0, 0.12)
    lips = (inside + 0.5).clamp(0, 1) * on
    coat.cover(lips * 0.85, colors.lips, 0.3, 0.6)
    gap = (torch.minimum(top - p.y, p.y - bottom) / soft + 0.5).clamp(0, 1) * on
    gap = gap * ramp(m.open, 0.002, 0.02)
    line = (1 - (p.y - (top + bottom) / 2).abs() / (0.009 + 0.5 * pixel)).clamp(min=0) * on
    coat.darken(line * 0.6)
    dark = torch.tensor([0.07, 0.012, 0.012]).to(p.x).view(1, 3, 1)
    tongue = torch.tensor([0.4, 0.09, 0.09]).to(p.x).view(1, 3, 1)
    teeth = torch.tensor([0.8, 0.77, 0.7]).to(p.x).view(1, 3, 1)
    coat.cover(gap, dark, 0.05)
    coat.cover(gap * ramp(p.y - bottom, 0.06, 0.0) * ramp(m.open, 0.04, 0.1) * 0.9, tongue, 0.3)
    bite = top - 0.05 * full.sqrt() - 0.004
    shade = ramp((p.x / m.half_width).abs(), 0.95, 0.4)
    coat.cover(gap * ((p.y - bite) / soft + 0.5).clamp(0, 1) * shade, teeth, 0.35)


def _eyes(coat: Coat, face: Face) -> None:
    p, side, front, a = face.p, face.side, face.front, face.anatomy
    pixel = face.pixel
    e = a.eyes
    x, y = side - e.x, p.y - e.y
    sign = p.x.sign()
    r = x / e.half_width
    r2 = (r * r).clamp(max=1)
    full = 1 - r2
    tilt = 0.012 * r  # outer corners a little higher
    upper = e.upper * full.sqrt() * (1 - 0.14 * r) + tilt
    lower = -e.lower * full + tilt
    soft = max(0.008, pixel)
    on = front * (r.abs() < 1)
    edge = torch.minimum(upper - y, y - lower)
    slit = (edge / soft + 0.5).clamp(0, 1) * on
    # Lid crease above, lash line on the upper edge.
    crease = lobe(x, y - upper - 0.03, 1.25 * 0.11, 0.016) * front
    coat.darken(crease * 0.4)
    _eyeball(coat, CurvePoint(x * sign, y, p.z - 0.295), slit, upper - y, face)
    reach = (r.abs() - 1.12) * e.half_width
    lash_y = (y - upper - 0.3 * e.lash).abs() - e.lash * (0.85 + 0.35 * r)
    lash = (0.5 - torch.maximum(lash_y, reach) / soft).clamp(0, 1) * front
    coat.cover(lash * 0.95, _gray(0.012, p.x), 0.0)
    rim = (1 - (y - lower).abs() / (0.007 + 0.4 * pixel)).clamp(min=0) * on
    coat.darken(rim * 0.35)


def _eyeball(coat: Coat, p: CurvePoint, slit: Tensor, under_lid: Tensor, face: Face) -> None:
    """White, iris, pupil and catch light; ``p`` is relative to the middle of the ball."""
    e, colors = face.anatomy.eyes, face.colors
    n = scale_to_unit(p.x, p.y, p.z)
    dx, dy = n.x - e.gaze_x, n.y - e.gaze_y
    far = (dx * dx + dy * dy).sqrt()
    blur = max(0.008, face.pixel) / e.ball
    white = _gray(0.82, p.x)
    lid_shade = 0.6 + 0.4 * ramp(under_lid, 0.0, 0.04)
    iris_size = 0.42
    iris = ((iris_size - far) / blur + 0.5).clamp(0, 1)
    ring = ramp(far, 0.30, 0.42) * 0.65
    spokes = 1 + 0.9 * ramp(-dy, -0.1, 0.35) - ring
    color = torch.lerp(white.expand_as(coat.albedo), colors.iris * spokes[:, None], iris[:, None])
    pupil = ((0.19 - far) / blur + 0.5).clamp(0, 1)
    color = color * (1 - 0.97 * pupil)[:, None] * lid_shade[:, None]
    gx, gy = dx * 0.9 - 0.13, dy - 0.15
    catch = ((0.11 - (gx * gx + gy * gy).sqrt()) / blur + 0.5).clamp(0, 1)
    color = torch.lerp(color, _gray(1.3, p.x).expand_as(color), catch[:, None])
    coat.cover(slit, color, 0.15, 0.15)
    m, w = coat.normal, slit * 0.8
    coat.normal = CurvePoint(
        torch.lerp(m.x, n.x, w), torch.lerp(m.y, n.y, w), torch.lerp(m.z, n.z, w)
    )


def _brows(coat: Coat, face: Face) -> None:
    p, side, front, a = face.p, face.side, face.front, face.anatomy
    colors, pixel = face.colors, face.pixel
    e = a.eyes
    t = (side - 0.21) / 0.15  # -1 at the inner end, 1 at the outer
    middle = e.brow_y + 0.03 * (1 - t * t) - 0.012 + 0.06 * e.brow_angle * t
    thick = e.brow_thick * (1 - 0.42 * t - 0.22 * t * t)
    soft = max(0.012, pixel)
    away = torch.maximum((p.y - middle).abs() - thick, ((t.abs() - 0.98) * 0.15))
    fade = min(1.0, 0.012 / pixel)
    hairs = 1 - 0.05 * fade * (1 + torch.sin(side * 260 + p.y * 330 + 40 * side * side))
    brow = (0.5 - away / soft).clamp(0, 1) * hairs * front
    coat.cover(brow * (0.78 + 0.12 * a.male), colors.hair * 0.62, 0.05)


def _beard(coat: Coat, face: Face) -> None:
    p, side, a, colors, pixel = face.p, face.side, face.anatomy, face.colors, face.pixel
    e = a.extras
    if not bool((e.beard_on > 0).any()):
        return
    region = beard_region(p, side, a) * e.beard_on
    fade = min(1.0, 0.012 / pixel)
    hairs = 1 - 0.22 * fade * (1 + torch.sin(p.x * 170 + 25 * p.y) * torch.sin(p.y * 60 + p.x * 30))
    weight = region * (0.5 + 0.48 * ramp(e.beard, 0.02, 0.3))
    coat.cover(weight, colors.hair * (0.75 * hairs)[:, None], 0.03)


def _hair(coat: Coat, face: Face) -> None:
    p, side, a, colors, pixel = face.p, face.side, face.anatomy, face.colors, face.pixel
    scalp = hair_weight(p, side, a, pixel)
    hanging = curtain(p, a, pixel) - skin_distance(p, a, pixel)
    weight = torch.maximum(scalp, ramp(hanging, 0.012, -0.012))
    fade = min(1.0, 0.02 / pixel)
    # Strands run back from the forehead on top and down at the sides.
    across = side * 74 + 9 * torch.sin(p.y * (3 + 5 * a.hair.curl) + p.z * 4)
    strands = torch.sin(across) * 0.6 + torch.sin(across * 2.3 + p.z * 7) * 0.4
    band = lobe(p.x * 0, coat.normal.y - 0.55, 1.0, 0.42)
    tone = 0.9 + 0.07 * strands * fade + band * (0.5 + 0.16 * strands * fade)
    glossy = colors.hair * tone[:, None] + 0.012 * band[:, None]
    coat.cover(weight, glossy, 0.1)
    if bool((a.extras.hat_on > 0).any()):
        _hat(coat, face)


def _hat(coat: Coat, face: Face) -> None:
    p, a, colors, pixel = face.p, face.anatomy, face.colors, face.pixel
    worn = ramp(hat_solid(p, a) - skin_distance(p, a, pixel), 0.01, -0.01) * a.extras.hat_on
    y = p.y - BRIM_Y + 0.08 * p.z
    band = ramp(y, 0.02, 0.035) * ramp(y, 0.115, 0.1)
    coat.cover(worn, colors.hat * (1 - 0.65 * band[:, None]), 0.04)
