"""Hats fitted to a head: knitted cap, peaked cap, hat with a brim."""

from __future__ import annotations

import numpy as np

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.head_frame import HeadFrame
from latentfu_builtin.people.mesh import Array, grid_triangles
from latentfu_builtin.people.strands import cloth_color
from latentfu_builtin.people.things import Thing

_COLUMNS = 96
_REGION = 12.0


def make_hat(frame: HeadFrame, f: Factors) -> list[Thing]:
    """The hat that ``hat_kind`` names, as high as ``hat`` says; none at 0 and below."""
    if f["hat"] <= 0:
        return []
    color = cloth_color(f["hat_hue"], f["hat_light"])
    if f["hat_kind"] < -1 / 3:
        return _knit_cap(frame, f["hat"], color)
    if f["hat_kind"] < 1 / 3:
        return _sew_cap(frame, f["hat"], color)
    return _block_hat(frame, f["hat"], color)


def _around() -> Array:
    """Angles ``[96]`` round the head, 0 at the front, rising to its left."""
    return np.linspace(-np.pi, np.pi, _COLUMNS, endpoint=False)


def _lay_shell(frame: HeadFrame, low: float, high: float, rows: int) -> tuple[Array, Array, Array]:
    """Directions, skin distance and place up the crown of a shell over the skull.

    ``low`` and ``high`` run from 0, the hat's edge, to 1, the top.
    """
    angle = _around()
    sin, cos = np.sin(angle), np.cos(angle)
    edge = 0.02 + 0.26 * cos  # higher on the forehead than on the neck
    t = np.linspace(low, high, rows)[:, None]
    height = edge + t * (np.pi / 2 - edge)
    way = np.stack(
        [np.cos(height) * sin, -np.cos(height) * cos, np.sin(height) * np.ones_like(t)], -1
    )
    return way, frame.field.radius(way), t


def _finish(points: Array, color: Array, *, ribs: float, weave: float, gloss: float) -> Thing:
    """A thing of a grid of points ``[rows, 96, 3]`` that closes round the head."""
    rows = len(points)
    turn = np.broadcast_to(_around() / (2 * np.pi), (rows, _COLUMNS)).reshape(-1)
    tint = (float(color[0]), float(color[1]), float(color[2]))
    corners = grid_triangles(rows, _COLUMNS, False, True)
    flat, normals = points.reshape(-1, 3), _grid_normals(points).reshape(-1, 3)
    return Thing(flat, normals, corners, tint, gloss, _REGION, ribs, weave, turn)


def _knit_cap(frame: HeadFrame, size: float, color: Array) -> list[Thing]:
    shells = []
    for low, high, off in ((0.0, 1.0, 0.011), (-0.04, 0.22, 0.016)):
        way, skull, t = _lay_shell(frame, low, high, 26)
        up = np.clip(t, 0, 1)
        bulge = off + 0.030 * size * up**2 + 0.006 * np.sin(up * np.pi)
        if high < 1:
            end = np.clip((t - low) / (high - low), 0, 1)
            bulge = bulge * np.ones_like(t) + 0.004 * (1 - (2 * end - 1) ** 6) - 0.004
        points = frame.field.center + way * (skull + bulge)[..., None]
        shells.append(_finish(points, color, ribs=1.0, weave=1.0, gloss=0.05))
    return shells


def _sew_cap(frame: HeadFrame, size: float, color: Array) -> list[Thing]:
    """A crown of six panels and a peak over the eyes."""
    way, skull, t = _lay_shell(frame, 0.0, 1.0, 26)
    up = np.clip(t, 0, 1)
    front = np.clip(np.cos(_around()), 0, 1)[None]
    off = 0.009 + (0.004 + 0.016 * size) * np.sin(np.clip(up * 1.3, 0, 1) * np.pi / 2)
    off = off + 0.007 * front**2 * np.sin(np.clip(up * 1.1, 0, 1) * np.pi)  # the front stands
    crown = frame.field.center + way * (skull + off)[..., None]
    angle = _around()
    wide = 0.074 * np.clip((np.cos(angle) - 0.30) / 0.70, 0, 1) ** 0.5
    out = np.linspace(0, 1, 7)[:, None]
    ahead = np.stack([0.30 * np.sin(angle), -np.ones_like(angle), np.zeros_like(angle)], -1)
    drop = -(0.10 * out + 0.22 * out**2) * wide - 0.34 * np.sin(angle) ** 2 * out * wide
    peak = crown[:1] + (out * wide)[..., None] * ahead + drop[..., None] * [0, 0, 1.0]
    return [
        _finish(crown, color, ribs=-1.0, weave=0.7, gloss=0.02),
        _finish(peak, color * 0.85, ribs=0.0, weave=0.6, gloss=0.02),
    ]


def _block_hat(frame: HeadFrame, size: float, color: Array) -> list[Thing]:
    """A felt crown with a dent, a ribbon, and a brim all round."""
    way, skull, t = _lay_shell(frame, 0.0, 1.0, 30)
    points = frame.field.center + way * (skull + 0.010)[..., None]
    top = frame.top + 0.004 + 0.022 * size
    base = points[:1]
    rise = np.clip(t * 1.35, 0, 1)[..., None]
    shrink = 1 - 0.20 * rise - np.clip((t[..., None] - 0.70) / 0.30, 0, 1)
    center = np.array([0, frame.field.center[1], 0])
    crown = center + (base - center) * np.maximum(shrink, 0.0)
    dent = 0.016 * np.exp(-((crown[..., 0] / 0.030) ** 2)) * rise[..., 0] ** 3
    round_off = 0.010 * np.clip((t - 0.70) / 0.30, 0, 1) ** 0.5
    crown[..., 2] = base[..., 2] + (top - base[..., 2]) * rise[..., 0] + round_off - dent
    angle = _around()
    out = np.linspace(0, 1, 8)[:, None]
    wide = 0.052 + 0.010 * np.abs(np.cos(angle)) + 0 * out
    flat = np.stack([np.sin(angle), -np.cos(angle), np.zeros_like(angle)], -1)
    curl = (0.010 * np.abs(np.sin(angle)) - 0.012 * np.abs(np.cos(angle))) * out**2
    brim = base + (out * wide)[..., None] * flat + curl[..., None] * [0, 0, 1.0]
    band = crown[:9] + 0.0012 * flat
    return [
        _finish(crown, color, ribs=0.0, weave=0.35, gloss=0.03),
        _finish(brim, color, ribs=0.0, weave=0.35, gloss=0.03),
        _finish(band, color * 0.25, ribs=0.0, weave=0.1, gloss=0.2),
    ]


def _grid_normals(points: Array) -> Array:
    down = np.gradient(points, axis=0)
    across = np.roll(points, -1, 1) - np.roll(points, 1, 1)
    n = np.cross(across, down)
    n = n / (np.linalg.norm(n, axis=-1, keepdims=True) + 1e-12)
    middle = points.mean((0, 1))
    return np.asarray(n * np.where(((points - middle) * n).sum(-1, keepdims=True) < 0, -1, 1))
