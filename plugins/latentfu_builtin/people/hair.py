"""The hair of the head: locks that grow from the scalp, fall round it and never enter it.

Every strand is a chain of points ``[K, 3]``. Some hundred guide strands are grown step by step;
the others follow the nearest guide and lean towards it, which makes locks (Ward et al. 2007).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import cKDTree

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.head_frame import HeadFrame
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.strands import (
    BodySkin,
    Strands,
    gray_share,
    normalize_rows,
    scatter_roots,
)

_STEPS = 16
_GUIDES, _STRANDS = 320, 9000


def grow_ground(rest: Array, zones: Array, f: Factors, margin: float = 0.0) -> Array:
    """Where hair grows on the skin, 0..1 ``[v]``: a hairline with temples, sideburns and nape.

    ``margin`` lowers the hairline, in meters.
    """
    up, back, side = rest[:, 2], rest[:, 1], np.abs(rest[:, 0])
    bald = max(f["bald"], 0.0) ** 0.5
    line = 0.067 - 0.16 * np.clip(side - 0.035, 0, None) + 0.05 * f["gender"] * side
    line = line + 0.10 * bald * np.clip(1 - side / 0.085, 0.7, 1)
    fall = np.clip((back - 0.040 - 0.035 * bald) / 0.034, 0, 1)
    line = line * (1 - fall) + fall * (-0.012)
    behind = np.clip((back - 0.118) / 0.02, 0, 1)
    line = line * (1 - behind) + behind * (-0.040)
    nape = np.clip((back - 0.150) / 0.04, 0, 1)
    line = line * (1 - nape) + nape * (-0.078 + 0.02 * (side / 0.06) ** 2)
    x = rest[:, 0]  # no hairline is a drawn line
    line = line + 0.0016 * np.sin(310 * x + 1.0) + 0.0012 * np.sin(730 * x) - margin
    ground = 1 / (1 + np.exp(np.clip((line - up) / 0.0034, -30, 30)))
    if bald > 0:
        crown = np.clip((up - 0.045 - 0.03 * (1 - bald)) / 0.01, 0, 1) * np.clip(
            (back - 0.03) / 0.01, 0, 1
        )
        ground = ground * (1 - crown * min(1.0, 0.80 + bald))
    # the skin round an ear moves with it, yet grows hair above it and before it
    near_ear = np.where((up > 0.004) | (back < 0.084), 0.50, 0.16)
    concha = (side > 0.062) & (back > 0.082) & (back < 0.132) & (up > -0.07) & (up < 0.0)
    return np.asarray(ground * ~concha * (zones[:, 4] < near_ear) * (zones[:, 6] < 0.3), np.float32)


def _comb(roots: Array, normals: Array, frame: HeadFrame, f: Factors) -> Array:
    """The direction in which each root is combed, along the skin."""
    parting = 0.036 * f["hair_parting"]
    side = np.tanh((roots[:, 0:1] - parting) / 0.006)
    depth = roots[:, 1:2] - frame.front
    if f["hair_length"] > -0.15:
        way = side * [1.0, 0, 0] + np.array([0, 0.50, -0.20])
    else:  # short: forward on the crown, to the side at the front, down at the sides
        front = np.clip((0.10 - depth) / 0.05, 0, 1)
        up = np.clip((frame.eye + 0.05 - roots[:, 2:3]) / 0.03, 0, 1)
        way = (1 - up) * (
            front * (side * [0.30, 0, 0] + [0, 0.65, 0.30]) + (1 - front) * [0, -0.5, 0]
        )
        way = way + up * np.array([0, 0.25, -0.9])
    if f["bald"] > 0:
        way = np.array([0, 0.45, -0.9]) + 0 * way
    if f["fringe"] > 0:
        ahead = np.clip((0.085 - depth) / 0.03, 0, 1) * (np.abs(roots[:, 0:1]) < 0.065)
        way = way * (1 - ahead) + ahead * np.array([0.15 * f["hair_parting"], -0.75, -0.35])
    return normalize_rows(way - (way * normals).sum(1, keepdims=True) * normals)


def keep_off_face(points: Array, frame: HeadFrame, line: float, opening: float = 0.066) -> Array:
    """Points in front of the face below the height ``line`` moved aside, out of the face."""
    rel_y = points[..., 1] - frame.front
    up = points[..., 2] - frame.eye
    inner = np.interp(up, [-0.20, -0.10, 0.0, 0.045, 0.066], [0.060, 0.062, opening, opening, 0.0])
    inner = np.where(rel_y < 0.085, inner, inner * np.clip((0.125 - rel_y) / 0.04, 0, 1))
    inner = np.where(points[..., 2] < line, inner, 0)
    sign = np.where(points[..., 0] >= 0, 1.0, -1.0)
    short = np.clip(inner - np.abs(points[..., 0]), 0, None)
    moved = points.copy()
    moved[..., 0] += sign * short
    moved[..., 1] += 0.6 * short
    return np.asarray(moved)


def grow_hair(
    body: BodySkin, ground: Array, frame: HeadFrame, f: Factors, seed: int
) -> Strands | None:
    """The hair of the head; None for a shaven one."""
    shown = (f["hair_length"] + 1) / 2
    if shown < 0.03 or ground.max() < 0.2:
        return None
    random = np.random.default_rng([seed, 1])
    length = float(np.interp(shown, [0, 0.2, 0.45, 0.6, 1], [0.006, 0.022, 0.065, 0.16, 0.36]))
    curl = max(f["hair_curl"], 0.0)
    # the same roots for every person, of which the hairline keeps some: no factor shuffles them
    whole = grow_ground(body.rest, body.zones, {**f, "bald": -1.0, "gender": 0.0}, 0.006)
    roots, normals, place = scatter_roots(random, body, whole, _STRANDS)
    here = body.mesh.triangles[place]
    grown = random.random(len(roots)) < (ground / (whole + 1e-3))[here].mean(1)
    grown &= ground[here].mean(1) > 0.12
    lead = random.choice(len(roots), _GUIDES, replace=False)
    guides = _grow_leads(random, (roots[lead], normals[lead]), frame, f, length)
    apart = _part_roots(roots, frame, f)
    follow, second = _nearest_two(apart, apart[lead])
    points = _follow(random, roots, guides, (follow, second), length)
    if curl > 0.05:
        points = _coil(random, points, follow, curl)
    rise = 0.004 + 0.010 * min(1.0, shown * 1.6) * (1 + 0.8 * curl)
    rise *= 2.0 ** (1.2 * f["hair_volume"])
    height = 0.0025 + rise * random.random((len(roots), 1)).astype(np.float32) ** 1.3
    line = _fringe_line(frame, f)
    tied = np.full(len(roots), f["hair_tied"] > 0 and shown > 0.4)
    if f["fringe"] > 0:
        tied &= ~_is_ahead(roots, frame)
    if tied.any():
        points[tied] = _tie_back(random, roots[tied], frame, f["hair_tied"], length)
        height[tied] = np.minimum(height[tied], 0.0035)
    if f["hat"] > 0:
        height = np.minimum(height, 0.004)
    grow = np.sqrt(np.linspace(0, 1, _STEPS, dtype=np.float32)) * height
    points = frame.push_out(points, grow)
    trimmed = ~tied & _is_trimmed(roots, frame, f)
    ends = line + 0.012 * random.random(_GUIDES)[follow] + random.normal(0, 0.003, len(roots))
    points[trimmed] = _trim(points[trimmed], frame, ends[trimmed])
    free = ~tied & ~trimmed
    points[free] = keep_off_face(points[free], frame, line)
    points = frame.push_out(points, 0.0012 + 0.6 * grow)
    tone = random.normal(1, 0.09, len(roots)) * (0.82 + 0.3 * random.random(_GUIDES))[follow]
    if 0.05 < gray_share(f) < 0.95:
        tone = tone * np.where(random.random(len(roots)) < 0.25, 1.45, 0.92)
    kept = grown & ~_crosses_face(points, frame)
    if f["hat"] > 0:
        kept &= points[:, 0, 2] < _hat_height(frame, points[:, 0, 1])
    if not kept.any():
        return None
    depth = np.clip(height / (height.max() + 1e-9), 0, 1)
    openness = np.broadcast_to(0.50 + 0.50 * depth, points.shape[:2])
    width = 0.00034 if shown > 0.42 else 0.00026
    return Strands(points[kept], width, np.clip(tone[kept], 0.4, 2.0), openness[kept], 7.0)


def _grow_leads(
    random: np.random.Generator,
    begun: tuple[Array, Array],
    frame: HeadFrame,
    f: Factors,
    length: float,
) -> Array:
    """The guide strands ``[G, K, 3]`` from roots and normals: combed, fringed, short sideburns."""
    roots, normals = begun
    curl, count = max(f["hair_curl"], 0.0), len(roots)
    line, ahead = _fringe_line(frame, f), _is_ahead(roots, frame)
    lift = 0.45 if f["hair_length"] < -0.16 else 0.22
    lift *= 1 - 0.8 * (f["bald"] > 0)  # what is left round a bald head lies flat
    fringed = (f["fringe"] > 0) * ahead[:, None]
    start = normalize_rows(
        normals * (lift * (1 - 0.7 * fringed) + 0.25 * curl)
        + _comb(roots, normals, frame, f)
        + random.normal(0, 0.10, (count, 3))
    )
    reach = length * random.uniform(0.72, 1.10, count)
    beside = (roots[:, 2] < frame.eye + 0.022) & (roots[:, 1] - frame.front < 0.088)
    reach = np.where(beside, np.minimum(reach, 0.022), reach)  # sideburns stay short
    if f["fringe"] > 0:
        wanted = ((roots[:, 2] - line) * 1.12 + 0.018) * random.uniform(0.72, 1.12, count)
        reach = np.where(ahead, np.clip(wanted, 0.012, None), reach)
    fall = 0.10 if f["hair_length"] < -0.15 else 0.45 - 0.10 * curl
    trimmed = _is_trimmed(roots, frame, f)
    grown = (roots, start, reach)
    return _grow_guides(random, grown, frame, curl=curl, fall=fall, line=line, trimmed=trimmed)


def _follow(
    random: np.random.Generator,
    roots: Array,
    guides: Array,
    near: tuple[Array, Array],
    length: float,
) -> Array:
    """Strands ``[N, K, 3]`` that run beside their two nearest guides and lean to them."""
    t = np.linspace(0, 1, _STEPS)[None, :, None].astype(np.float32)
    lean = (0.30 + 0.45 * random.random((len(roots), 1, 1))) * t**0.8
    mix = 0.35 * random.random((len(roots), 1, 1))
    path = (1 - mix) * guides[near[0]] + mix * guides[near[1]]
    own = roots[:, None] + (path - path[:, :1])
    points = own + lean * (path - own)
    points = points + random.normal(0, 1, (len(roots), 1, 3)) * (0.0012 + 0.010 * length) * t
    return _cut(points, random.uniform(0.80, 1.0, (len(roots), 1, 1)))


def _crosses_face(points: Array, frame: HeadFrame) -> Array:
    """Which strands ``[N]`` come to lie on the cheeks or the eyes."""
    up, back = points[..., 2] - frame.eye, points[..., 1] - frame.front
    on = (up < 0.012) & (up > -0.13) & (back < 0.078) & (np.abs(points[..., 0]) < 0.073)
    return np.asarray(on.any(1))


def _tie_back(
    random: np.random.Generator, roots: Array, frame: HeadFrame, tied: float, length: float
) -> Array:
    """Strands ``[N, K, 3]`` drawn over the skull into a knot, the more tightly the higher."""
    steep = math.radians(12 + 66 * tied)
    way = np.array([0, math.cos(steep), math.sin(steep)])
    knot = frame.field.center + way * (frame.field.radius(way) + 0.012)
    t = np.linspace(0, 1, _STEPS)[None, :, None]
    along = np.clip(t / 0.68, 0, 1)
    path = roots[:, None] * (1 - along) + knot * along
    side = np.sign(roots[:, None, :1]) * np.sin(along * np.pi) * 0.010 * (1 - tied)
    path = path + side * [1.0, 0, -0.6]
    wide = (0.016 + 0.05 * length) * random.uniform(0.55, 1.0, (len(roots), 1, 1))
    axis = normalize_rows(random.normal((0, 1.2, 0), 1, (len(roots), 1, 3)))
    across = normalize_rows(np.cross(axis, [0.0, 0.3, 1.0]))
    angle = random.uniform(0, 2 * np.pi, (len(roots), 1, 1)) + 3.6 * np.clip(t - 0.68, 0, 1) / 0.32
    coil = wide * (across * np.cos(angle) + np.cross(axis, across) * np.sin(angle))
    wound = np.clip((t - 0.60) / 0.10, 0, 1)
    out = normalize_rows(knot - frame.field.center) * wide * 0.6
    return np.asarray(path + wound * (coil + out), np.float32)


def _is_ahead(roots: Array, frame: HeadFrame) -> Array:
    """Which roots ``[N, 3]`` a fringe grows from."""
    return np.asarray((roots[:, 1] - frame.front < 0.085) & (np.abs(roots[:, 0]) < 0.065))


def _is_trimmed(roots: Array, frame: HeadFrame, f: Factors) -> Array:
    """Which strands ``[N]`` are cut where they reach the brow, instead of led round the face."""
    if f["fringe"] > 0 or f["hair_length"] < -0.15:
        return _is_ahead(roots, frame)
    return np.zeros(len(roots), bool)


def _trim(points: Array, frame: HeadFrame, ends: Array) -> Array:
    """Strands ``[N, K, 3]`` in front of the forehead cut at their heights ``[N]``."""
    ahead = points[..., 1] - frame.front < 0.10
    below = (points[..., 2] < ends[:, None]) & ahead
    first = np.where(below.any(1), below.argmax(1), _STEPS - 1)
    share = np.maximum(first, 1) / (_STEPS - 1)
    return _cut(points, share[:, None, None])


def _part_roots(roots: Array, frame: HeadFrame, f: Factors) -> Array:
    """Roots moved apart at parting and fringe, so that no strand follows a guide across them."""
    side = np.tanh((roots[:, :1] - 0.036 * f["hair_parting"]) / 0.003)
    fringe = (f["fringe"] > 0) * _is_ahead(roots, frame)[:, None]
    return np.asarray(roots + side * [0.02, 0, 0] - fringe * [0, 0.05, 0])


def _coil(random: np.random.Generator, points: Array, follow: Array, curl: float) -> Array:
    """Strands wound round themselves, each lock in its own phase."""
    length = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1)[:, None, None]
    t = np.linspace(0, 1, points.shape[1])[None, :, None]
    phase = random.uniform(0, 2 * np.pi, _GUIDES)[follow][:, None, None]
    phase = phase + random.normal(0, 0.5, (len(points), 1, 1))
    turns = np.minimum(length / (0.085 - 0.055 * curl), 4.2)
    wave = phase + 2 * np.pi * turns * t
    along = normalize_rows(points[:, -1:] - points[:, :1])
    across = normalize_rows(np.cross(along, [0.0, 1.0, 0.05]))
    wide = curl * (0.003 + 0.022 * np.minimum(length, 0.30)) * np.minimum(1, 3 * t)
    return np.asarray(
        points + wide * (across * np.sin(wave) + np.cross(across, along) * np.cos(wave))
    )


def _fringe_line(frame: HeadFrame, f: Factors) -> float:
    """The height down to which hair may hang over the forehead."""
    if f["fringe"] <= 0:
        return frame.eye + 0.062
    return frame.eye + 0.048 - 0.024 * f["fringe"]


def _hat_height(frame: HeadFrame, back: Array) -> Array:
    return np.asarray(frame.eye + 0.050 - 0.26 * (back - frame.front))


def _nearest_two(points: Array, leads: Array) -> tuple[Array, Array]:
    _, found = cKDTree(leads).query(points, 2)
    return found[:, 0], found[:, 1]


def _cut(points: Array, share: Array) -> Array:
    """Each strand ended after a share of its length, with as many points as before."""
    steps = points.shape[1]
    at = np.arange(steps)[None, :, None] * share
    low = np.minimum(at.astype(int), steps - 2)
    low = np.broadcast_to(low, (*points.shape[:2], 1))
    a = np.take_along_axis(points, low, 1)
    b = np.take_along_axis(points, low + 1, 1)
    return np.asarray(a + (b - a) * (at - low))


def _grow_guides(
    random: np.random.Generator,
    begun: tuple[Array, Array, Array],
    frame: HeadFrame,
    *,
    curl: float,
    fall: float,
    line: float,
    trimmed: Array,
) -> Array:
    """Guide strands ``[G, K, 3]`` from roots, first directions and lengths.

    Stiff at the root, falling, curling, sliding over the skin.
    """
    roots, start, reach = begun
    direction, x = start, roots
    step = (reach / (_STEPS - 1))[:, None]
    phase = random.uniform(0, 2 * np.pi, (len(roots), 1))
    turn = np.cross(direction, [0, 0, 1.0])
    turn = normalize_rows(turn)
    chain = [x]
    for k in range(1, _STEPS):
        bend = direction + fall * np.array([0, 0, -1.0]) + random.normal(0, 0.035, x.shape)
        if curl > 0.05:
            wave = phase + k * (0.7 + 1.1 * curl)
            bend = bend + 0.25 * curl * (
                turn * np.sin(wave) + np.cross(turn, direction) * np.cos(wave)
            )
        y = x + normalize_rows(bend) * step
        y = frame.push_out(y, 0.0025)
        y = np.where(trimmed[:, None], y, keep_off_face(y, frame, line))
        y = frame.push_out(y, 0.0025)
        direction = normalize_rows(normalize_rows(bend) * 0.5 + normalize_rows(y - x) * 0.5)
        x = y
        chain.append(x)
    return np.stack(chain, 1).astype(np.float32)
