"""What people wear: glasses, earrings and collars, fitted to a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.head_frame import HeadFrame
from latentfu_builtin.people.mesh import Array, grid_triangles, make_tube
from latentfu_builtin.people.strands import BodySkin, cloth_color

_RIMS = (  # black, brown, gold, clear, by glasses_color
    (0.012, 0.011, 0.012), (0.10, 0.045, 0.02), (0.30, 0.20, 0.09), (0.30, 0.28, 0.27),
)  # fmt: skip


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
    boxy = (f["glasses_shape"] + 1) / 2
    square, thick = 1.0 - 0.52 * boxy, 0.0008 + 0.0014 * boxy**1.5
    high *= 1.04 - 0.16 * boxy
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
    place = np.linspace(-1, 1, len(_RIMS))
    color = [float(np.interp(f["glasses_color"], place, rim)) for rim in np.array(_RIMS).T]
    points, normals, triangles = _join(parts)
    rim = (color[0], color[1], color[2])
    return [Thing(points, normals, triangles, rim, 0.55, 11.0)], lenses


def make_earrings(lobes: Array, f: Factors) -> list[Thing]:
    """A pearl, a gold hoop or a silver drop at each lobe ``[2, 3]``."""
    size = f["earrings"]
    if size <= 0:
        return []
    kind = f["earring_kind"]
    parts: list[tuple[Array, ...]] = []
    for lobe in lobes:
        side = np.sign(lobe[0])
        hang = lobe + np.array([side * 0.003, -0.002, 0])
        if kind < -1 / 3:
            ball = 0.0026 + 0.0034 * size
            parts.append(
                _make_ball(hang + np.array([side * 0.001, -0.002, 0.002 - ball / 2]), ball, 1.0)
            )
        elif kind < 1 / 3:
            wide = 0.004 + 0.012 * size
            t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
            hoop = np.stack([0.25 * np.sin(t), 0.35 * np.sin(t), np.cos(t)], 1) * wide
            parts.append(make_tube(hang - [0, 0, wide * 0.9] + hoop, 0.0011 + 0.0006 * size, True))
        else:
            long = 0.008 + 0.012 * size
            wire = hang + np.linspace(0, 1, 5)[:, None] * [0, 0, -long * 0.6]
            parts.append(make_tube(wire, 0.0006, False, 6))
            parts.append(_make_ball(hang - [0, 0, long], 0.0022 + 0.0020 * size, 2.0))
    points, normals, triangles = _join(parts)
    stuffs = ((0.66, 0.60, 0.55), (0.55, 0.36, 0.12), (0.50, 0.50, 0.52))
    color = stuffs[0 if kind < -1 / 3 else 1 if kind < 1 / 3 else 2]
    return [Thing(points, normals, triangles, color, 1.2 if kind < -1 / 3 else 2.5, 13.0)]


def _make_ball(center: Array, radius: float, tall: float) -> tuple[Array, Array, Array]:
    """A ball, or a drop ``tall`` times as high as wide."""
    height, turn = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, 9), np.linspace(0, 2 * np.pi, 14, endpoint=False),
        indexing="ij",
    )  # fmt: skip
    way = np.stack(
        [np.cos(height) * np.cos(turn), np.cos(height) * np.sin(turn), np.sin(height)], 2
    )
    flat = way.reshape(-1, 3)
    return center + flat * [radius, radius, radius * tall], flat, grid_triangles(9, 14, False, True)


def make_collar(body: BodySkin, f: Factors) -> list[Thing]:
    """The folded collar of a shirt; other kinds of neck are the clothes' own edge."""
    if not -1 / 3 < f["collar_kind"] <= 1 / 3:
        return []
    near = (body.rest[:, 2] < -0.105) & (body.rest[:, 2] > -0.30)
    skin, height = body.skin[near], float(np.median(body.skin[:, 2] - body.rest[:, 2]))
    middle = skin[(body.rest[near, 2] > -0.16), :2].mean(0)
    rel = skin[:, :2] - middle
    angle, far = np.arctan2(rel[:, 0], -rel[:, 1]), np.hypot(rel[:, 0], rel[:, 1])
    columns, rows = 72, 9
    a = np.linspace(-np.pi, np.pi, columns)
    a = np.sign(a) * (0.27 + (np.abs(a)) * (np.pi - 0.27) / np.pi)  # open in front
    back = (1 - np.cos(a)) / 2
    top = -0.166 + 0.034 * back
    long = 0.028 + 0.034 * np.clip(1 - np.abs(a) / 0.75, 0, 1)
    t = np.concatenate([[-0.7, -0.35], np.linspace(0, 1, rows - 2)])[:, None]
    drop = top - np.where(t < 0, -t * 0.024, t * long)  # up inside, then folded down outside
    lie = _measure_ring(a, drop + height, angle, far, skin[:, 2])
    roll = np.where(t < 0, 0.009, 0.0105 + 0.008 * np.sqrt(np.clip(t, 0, 1)))
    wide = lie + roll
    for k in range(3, rows):  # the leaf never turns in again
        wide[k] = np.maximum(wide[k], wide[k - 1] + 0.0006)
    points = np.stack([wide * np.sin(a), -wide * np.cos(a), np.zeros_like(wide)], -1)
    points = points + np.array([middle[0], middle[1], height])
    points[..., 2] += drop
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12
    color = 1.08 * cloth_color(f["clothes_hue"], f["clothes_light"])
    corners = grid_triangles(rows, columns, False, False)
    left = corners % columns < columns // 2
    corners = corners[left.all(1) | ~left.any(1)]  # nothing joins the two leaves in front
    tint = (float(color[0]), float(color[1]), float(color[2]))
    return [Thing(points.reshape(-1, 3), normals.reshape(-1, 3), corners, tint, 0.05, 10.0, 0, 0.6)]


def _measure_ring(a: Array, z: Array, angle: Array, far: Array, height: Array) -> Array:
    """How far the body reaches from the neck's axis at angles ``[C]`` and heights ``[R, C]``."""
    known = np.stack([0.06 * np.sin(angle), 0.06 * np.cos(angle), height], 1)
    asked = np.stack(np.broadcast_arrays(0.06 * np.sin(a), 0.06 * np.cos(a), z), -1)
    _, found = cKDTree(known).query(asked.reshape(-1, 3), 4)
    return np.asarray(ndimage.gaussian_filter(far[found].mean(1).reshape(z.shape), (0.5, 2.0)))
