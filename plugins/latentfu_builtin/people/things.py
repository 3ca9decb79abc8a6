"""What people wear: clothes, glasses, hats and earrings, fitted to a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.hair import HeadFrame
from latentfu_builtin.people.mesh import Array, grid_triangles, make_tube


@dataclass(frozen=True)
class Thing:
    """A mesh of one stuff: points, normals ``[v, 3]``, triangles, and what the shader asks."""

    points: Array
    normals: Array
    triangles: Array
    color: tuple[float, float, float]
    gloss: float
    region: float
    ribs: float = 0.0
    weave: float = 0.0
    around: Array | None = None


def _join(parts: list[tuple[Array, ...]]) -> tuple[Array, Array, Array]:
    points, normals, triangles, first = [], [], [], 0
    for p, n, t in parts:
        points.append(p)
        normals.append(n)
        triangles.append(t + first)
        first += len(p)
    return np.concatenate(points), np.concatenate(normals), np.concatenate(triangles)


def _rim_path(center: Array, width: float, height: float, square: float) -> Array:
    """A rounded rectangle round a lens, bent a little with the face."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    x = width * np.sign(c) * np.abs(c) ** square
    z = height * np.sign(s) * np.abs(s) ** square
    side = np.sign(center[0])
    y = 0.10 * np.clip(side * x, 0, None) ** 1 * 0.9
    return np.asarray(center + np.stack([x, y, z], 1))


def make_glasses(
    left: Array, right: Array, frame: HeadFrame, ears: Array, f: Factors
) -> tuple[list[Thing], list[Thing]]:
    """Frame and lenses of the glasses, if there are any: (opaque things, lenses)."""
    size = f["glasses"]
    if size <= 0:
        return [], []
    wide, high = 0.0225 + 0.0045 * size, 0.0165 + 0.0065 * size
    square = 0.725 - 0.225 * f["glasses_shape"]
    thick = 0.0016 + 0.0007 * f["glasses_rim"]
    parts: list[tuple[Array, ...]] = []
    lenses: list[Thing] = []
    nose = min(left[1], right[1]) - 0.0215
    for eye in (left, right):
        side = np.sign(eye[0])
        center = np.array([eye[0] + side * 0.001, nose, eye[2] - 0.003])
        path = _rim_path(center, wide, high, square)
        parts.append(make_tube(path, thick, True))
        fan = np.concatenate([[center], path])
        k = np.arange(1, len(path) + 1)
        corners = np.stack([np.zeros_like(k), k, np.roll(k, -1)], 1).astype(np.int32)
        bulge = (fan - center) * 6.0 + np.array([0, -1.0, 0])
        bulge /= np.linalg.norm(bulge, axis=1, keepdims=True)
        lenses.append(Thing(fan, bulge, corners, (1, 1, 1), 1.0, 11.0))
        ear = ears[0] if side > 0 else ears[1]
        hinge = path[0] if side > 0 else path[len(path) // 2]
        hinge = hinge + np.array([side * 0.002, 0.001, high * 0.35])
        t = np.linspace(0, 1, 12)[:, None]
        arm = hinge + t * (ear - hinge)
        arm[:, 0] = np.sign(side) * (
            np.abs(hinge[0]) + (frame.half * 1.0 - np.abs(hinge[0])) * np.minimum(1, 1.6 * t[:, 0])
        )
        parts.append(make_tube(arm, thick * 0.9, False, 6))
    t = np.linspace(-1, 1, 9)[:, None]
    gap = abs(left[0]) - wide + 0.001
    bridge = np.concatenate(
        [t * gap, nose - 0.002 * (1 - t**2), left[2] + 0.002 + 0.0035 * (1 - t**2)], 1
    )
    parts.append(make_tube(bridge, thick, False))
    points, normals, triangles = _join(parts)
    color = _blend(_RIMS, f["glasses_color"])
    return [Thing(points, normals, triangles, color, 0.9, 11.0)], lenses


_RIMS = ((0.012, 0.011, 0.012), (0.10, 0.045, 0.02), (0.35, 0.28, 0.18), (0.22, 0.02, 0.03))
_METALS = ((0.5, 0.5, 0.52), (0.55, 0.36, 0.12))


def _blend(colors: tuple[tuple[float, ...], ...], place: float) -> tuple[float, float, float]:
    """The color at ``place`` (-1..1) on the way through all of them."""
    stops = np.linspace(-1, 1, len(colors))
    red, green, blue = (float(np.interp(place, stops, c)) for c in zip(*colors, strict=True))
    return red, green, blue


def make_hat(frame: HeadFrame, f: Factors) -> list[Thing]:
    """A knitted cap with a turned-up edge."""
    if f["hat"] <= 0:
        return []
    rows, columns = 26, 96
    around = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    cos, sin = np.cos(around), np.sin(around)
    tilt = -0.12 + 0.26 * cos  # the edge: higher on the forehead than on the neck
    surfaces = []
    for low, high, off in ((0.0, 1.0, 0.011), (-0.04, 0.22, 0.016)):
        t = np.linspace(low, high, rows)[:, None]
        height = tilt + 0.14 + t * (np.pi / 2 - tilt - 0.14)
        way = np.stack(
            [np.cos(height) * sin, -np.cos(height) * cos, np.sin(height) * np.ones_like(t)], -1
        )
        skull = frame.field.radius(way)
        bulge = (
            off
            + 0.030 * f["hat"] * np.clip(t, 0, 1) ** 2
            + 0.006 * np.sin(np.clip(t, 0, 1) * np.pi)
        )
        if high < 1:
            end = np.clip((t - low) / (high - low), 0, 1)
            bulge = bulge * np.ones_like(t) + 0.004 * (1 - (2 * end - 1) ** 6) - 0.004
        points = frame.field.center + way * (skull + bulge)[..., None]
        normals = _grid_normals(points)
        turn = np.broadcast_to(around / (2 * np.pi), (rows, columns))
        surfaces.append((points.reshape(-1, 3), normals.reshape(-1, 3), turn.reshape(-1)))
    from latentfu_builtin.people.hair import hue_color

    color = hue_color(f["hat_hue"], 0.45, 0.40 + 0.3 * f["hat_light"])
    corners = grid_triangles(rows, columns, False, True)
    return [
        Thing(p, n, corners, tuple(color.tolist()), 0.05, 12.0, 1.0, 1.0, turn)
        for p, n, turn in surfaces
    ]


def _grid_normals(points: Array) -> Array:
    down = np.gradient(points, axis=0)
    across = np.roll(points, -1, 1) - np.roll(points, 1, 1)
    n = np.cross(across, down)
    n = n / (np.linalg.norm(n, axis=-1, keepdims=True) + 1e-12)
    middle = points.mean((0, 1))
    return np.asarray(n * np.where(((points - middle) * n).sum(-1, keepdims=True) < 0, -1, 1))


def make_earrings(lobes: Array, f: Factors) -> list[Thing]:
    """A hoop or a pearl at each lobe."""
    if f["earrings"] <= 0:
        return []
    parts = []
    size = 0.004 + 0.012 * f["earrings"]
    for lobe in lobes:
        t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        hoop = np.stack([0.25 * np.sin(t), 0.35 * np.sin(t), np.cos(t)], 1) * size
        hang = lobe + np.array([np.sign(lobe[0]) * 0.003, -0.002, -size * 0.9])
        parts.append(make_tube(hang + hoop, 0.0011 + 0.0006 * f["earrings"], True))
    points, normals, triangles = _join(parts)
    color = _blend(_METALS, f["earrings_metal"])
    return [Thing(points, normals, triangles, color, 2.5, 13.0)]
