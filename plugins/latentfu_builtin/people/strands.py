"""Strands of hair: where they may stand, their color, and the ribbons that draw them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.mesh import Array, SmoothMesh


@dataclass(frozen=True)
class Strands:
    """Chains of points ``[S, K, 3]``, half width at the root, tone ``[S]``, openness ``[S, K]``."""

    points: Array
    width: float
    tone: Array
    openness: Array
    region: float


@dataclass(frozen=True)
class BodySkin:
    """The skin that hair grows from: mesh, points, points at rest, zones (see ``HeadModel``)."""

    mesh: SmoothMesh
    skin: Array
    rest: Array
    zones: Array


def hair_color(f: Factors) -> Array:
    """The hair's linear color ``[3]``, gray by age and by its own factor."""
    light = (f["hair_lightness"] + 1) / 2
    stops = np.array([[0.010, 0.007, 0.006], [0.035, 0.018, 0.010], [0.10, 0.052, 0.025]])
    stops = np.concatenate([stops, [[0.24, 0.14, 0.062], [0.47, 0.33, 0.17]]])
    color = np.array([np.interp(light * 4, range(5), stops[:, k]) for k in range(3)])
    red = max(f["hair_redness"], 0.0)
    color = color * (1 - 0.55 * red) + 0.55 * red * np.array([0.24, 0.055, 0.018]) * (0.35 + light)
    cool = max(-f["hair_redness"], 0.0)
    color = color * (1 - 0.4 * cool) + 0.4 * cool * color.mean()
    gray = gray_share(f)
    return np.asarray(color * (1 - gray) + gray * np.array([0.37, 0.36, 0.35]))


def gray_share(f: Factors) -> float:
    """The part of the hair that is gray, 0..1."""
    return float(np.clip((f["age"] - 52) / 34 + 0.75 * f["gray_hair"], 0, 1))


def hue_color(hue: float, saturation: float, value: float) -> Array:
    """A linear color ``[3]`` of a hue in -1..1 round the color circle."""
    return np.array(colorsys.hsv_to_rgb((hue + 1) / 2 % 1, saturation, value)) ** 2.2


_CLOTHS = (  # as dyes go, gray over blue, olive, sand, rust and plum to gray again
    (-1.0, 0.162, 0.162, 0.175), (-0.75, 0.080, 0.145, 0.295), (-0.45, 0.075, 0.170, 0.195),
    (-0.20, 0.175, 0.180, 0.085), (0.05, 0.435, 0.325, 0.190), (0.30, 0.350, 0.112, 0.055),
    (0.55, 0.240, 0.050, 0.065), (0.80, 0.170, 0.117, 0.190), (1.0, 0.162, 0.162, 0.175),
)  # fmt: skip


def cloth_color(hue: float, light: float) -> Array:
    """A dyed cloth's linear color ``[3]`` for a hue and a lightness in -1..1."""
    place, *channels = np.array(_CLOTHS).T
    color = np.array([np.interp(hue, place, channel) for channel in channels])
    share = (light + 1) / 2
    bright = 0.014 + 0.50 * share**1.7
    color = color / (color @ [0.3, 0.59, 0.11])  # of brightness 1
    faded = 0.28 + 0.50 * share**2
    return np.asarray(np.clip(bright * (color * (1 - faded) + faded), 0.004, 0.62))


def scatter_roots(
    random: np.random.Generator, body: BodySkin, weight: Array, count: int
) -> tuple[Array, Array, Array]:
    """Random places on the skin, thick where ``weight`` is: points, outward normals, triangles.

    Places are chosen on the head at rest, so they stay on the skin whatever face it makes.
    """
    corners = body.mesh.triangles
    mean = weight[corners].mean(1)
    some = np.flatnonzero(mean > 1e-3)
    if not len(some):
        none = np.zeros((0, 3), np.float32)
        return none, none, np.zeros(0, int)
    a, b, c = (body.rest[corners[some, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    total = np.cumsum(area * mean[some])
    pick = some[np.searchsorted(total, random.random(count) * total[-1]).clip(0, len(some) - 1)]
    u, v = random.random((2, count, 1)).astype(np.float32)
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    a, b, c = (body.skin[corners[pick, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    return a + u * (b - a) + v * (c - a), normalize_rows(normal), pick


def normalize_rows(x: Array) -> Array:
    """Vectors ``[..., 3]`` of length 1."""
    return np.asarray(x / (np.sqrt((x * x).sum(-1, keepdims=True)) + 1e-9))


def ribbon_arrays(strands: Strands) -> tuple[Array, Array]:
    """Vertices ``[2SK, 10]`` (place, tangent, side, along, tone, openness) and triangles."""
    points = strands.points.astype(np.float32)
    count, steps, _ = points.shape
    tangent = np.empty_like(points)
    tangent[:, 1:-1] = points[:, 2:] - points[:, :-2]
    tangent[:, 0], tangent[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    along = np.linspace(0, 1, steps, dtype=np.float32)
    half = strands.width * (1 - 0.75 * along**2) * np.minimum(1, 0.4 + 6 * along)
    out = np.empty((count, steps, 2, 10), np.float32)
    out[..., :3], out[..., 3:6] = points[:, :, None], normalize_rows(tangent)[:, :, None]
    out[..., 6] = half[None, :, None] * np.array([-1, 1])
    out[..., 7] = along[None, :, None]
    out[..., 8] = strands.tone[:, None, None]
    out[..., 9] = strands.openness[:, :, None]
    first = (np.arange(count) * 2 * steps)[:, None] + np.arange(steps - 1) * 2
    corners = np.stack([first, first + 1, first + 2, first + 1, first + 3, first + 2], -1)
    return out.reshape(-1, 10), corners.reshape(-1).astype(np.int32)
