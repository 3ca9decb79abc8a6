"""Hair: locks that grow from the scalp, fall round the head and never enter it; brows, beards.

Every strand is a chain of points ``[K, 3]``. Some hundred guide strands are grown step by step;
the others follow the nearest guide and lean towards it, which makes locks (Ward et al. 2007).
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.mesh import Array, SmoothMesh

_ROWS, _COLUMNS = 72, 144
_STEPS = 16
_GUIDES, _STRANDS = 300, 8500
_CACHED = 8192


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


class HeadField:
    """How far the skin lies from the middle of the head, by direction: a map that hair asks."""

    def __init__(self, skin: Array, center: Array) -> None:
        self.center = center
        angle, height, radius = self._polar(skin - center)
        grid = np.zeros((_ROWS, _COLUMNS), np.float32)
        row, column = self._cell(angle, height)
        at = (np.clip(row.round().astype(int), 0, _ROWS - 1), column.round().astype(int) % _COLUMNS)
        np.maximum.at(grid, at, radius)
        mode = ("nearest", "wrap")
        for spread in (0.8, 1.6, 4.0, 12.0):  # directions that no point lies in: from around
            seen = (grid > 0).astype(np.float32)
            weight = ndimage.gaussian_filter(seen, spread, mode=mode)
            mean = ndimage.gaussian_filter(grid, spread, mode=mode) / (weight + 1e-6)
            grid = np.where((grid > 0) | (weight < 0.02), grid, mean)
        grid[-3:] = grid[-4:-3].mean()  # around the pole the columns fall together
        self.grid = ndimage.gaussian_filter(grid, 0.6, mode=mode)
        # one more column and row, so that each cell has its neighbors beside it
        ringed = np.concatenate([self.grid, self.grid[:, :1]], 1)
        self._cells = np.concatenate([ringed, ringed[-1:]]).astype(np.float32).ravel()

    @staticmethod
    def _polar(rel: Array) -> tuple[Array, Array, Array]:
        x, y, z = (torch.from_numpy(np.array(rel[..., k], np.float32)) for k in range(3))
        radius = torch.sqrt(x * x + y * y + z * z) + 1e-9
        height = torch.asin(torch.clamp(z / radius, -1, 1))  # torch's are far quicker than numpy's
        return torch.atan2(x, -y).numpy(), height.numpy(), radius.numpy()

    @staticmethod
    def _cell(angle: Array, height: Array) -> tuple[Array, Array]:
        row = (height / np.pi + 0.5) * (_ROWS - 1)
        return row, (angle / (2 * np.pi) + 0.5) * _COLUMNS

    def radius(self, rel: Array) -> Array:
        """The skin's distance ``[...]`` in the direction of ``rel`` ``[..., 3]``."""
        return self._look_up(*self._polar(rel)[:2])

    def _look_up(self, angle: Array, height: Array) -> Array:
        """The map between its cells, linearly, by direction."""
        row, column = self._cell(angle, height)
        top, left = row.astype(np.int32), np.minimum(column.astype(np.int32), _COLUMNS - 1)
        down, right = row - top, column - left
        first = top * (_COLUMNS + 1) + left
        cells = self._cells
        upper = cells[first] * (1 - right) + cells[first + 1] * right
        first = first + (_COLUMNS + 1)
        lower = cells[first] * (1 - right) + cells[first + 1] * right
        return np.asarray(upper * (1 - down) + lower * down)

    def push_out(self, points: Array, margin: Array | float) -> Array:
        """Points moved outwards until they lie ``margin`` above the skin."""
        rel = points - self.center
        angle, height, far = self._polar(rel)
        scale = np.maximum(1.0, (self._look_up(angle, height) + margin) / far)
        return np.asarray(self.center + rel * scale[..., None], np.float32)


@dataclass(frozen=True)
class HeadFrame:
    """Sizes of one head that hair and things are fitted to; meters, eyes' height in ``eye``."""

    field: HeadField
    chest: HeadField
    eye: float
    front: float
    top: float
    half: float

    def push_out(self, points: Array, margin: Array | float) -> Array:
        """Points moved out of head, neck and shoulders, some thousand at a time.

        So all that is computed of them stays in the processor's cache.
        """
        flat = np.asarray(points, np.float32).reshape(-1, 3)
        far = np.broadcast_to(np.asarray(margin, np.float32), points.shape[:-1]).reshape(-1)
        parts = [
            self._push_out(flat[i : i + _CACHED], far[i : i + _CACHED])
            for i in range(0, len(flat), _CACHED)
        ]
        return np.concatenate(parts).reshape(points.shape)

    def _push_out(self, points: Array, margin: Array) -> Array:
        points = self.field.push_out(points, margin)
        low = np.clip((self.eye - 0.09 - points[..., 2]) / 0.03, 0, 1)
        middle = np.array([0, self.front + 0.118])
        rel = (points[..., :2] - middle) / np.array([0.068, 0.072])
        far = np.sqrt((rel * rel).sum(-1, keepdims=True)) + 1e-9
        beside = middle + rel * np.maximum(1, low[..., None] / far) * np.array([0.068, 0.072])
        points = np.concatenate([beside, points[..., 2:]], -1, dtype=np.float32)
        shoulder = points[..., 2] < self.eye - 0.15
        points[shoulder] = self.chest.push_out(points[shoulder], 0.009)
        return points


def measure_frame(skin: Array, eye_height: float) -> HeadFrame:
    """The frame of a head's skin points ``[v, 3]``."""
    head = skin[skin[:, 2] > eye_height - 0.02]
    front = float(skin[np.abs(skin[:, 2] - eye_height) < 0.05][:, 1].min())
    center = np.array([0, (front + head[:, 1].max()) / 2, eye_height + 0.012], np.float32)
    field = HeadField(skin[skin[:, 2] > eye_height - 0.125], center)
    low = center - np.array([0, 0, 0.42], np.float32)
    chest = HeadField(skin[skin[:, 2] < eye_height - 0.165], low)
    half = float(head[head[:, 2] > eye_height + 0.03][:, 0].max())
    return HeadFrame(field, chest, eye_height, front, float(head[:, 2].max()), half)


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
    return np.asarray(color * (1 - gray) + gray * np.array([0.46, 0.45, 0.44]))


def gray_share(f: Factors) -> float:
    """The part of the hair that is gray, 0..1."""
    return float(np.clip((f["age"] - 52) / 34 + 0.75 * f["gray_hair"], 0, 1))


def hue_color(hue: float, saturation: float, value: float) -> Array:
    """A linear color ``[3]`` of a hue in -1..1 round the color circle."""
    return np.array(colorsys.hsv_to_rgb((hue + 1) / 2 % 1, saturation, value)) ** 2.2


def grow_ground(rest: Array, zones: Array, f: Factors) -> Array:
    """Where hair grows on the skin, 0..1 ``[v]``: a hairline with temples, sideburns and nape."""
    up, back, side = rest[:, 2], rest[:, 1], np.abs(rest[:, 0])
    bald = max(f["bald"], 0.0) ** 0.5
    line = 0.067 - 0.16 * np.clip(side - 0.035, 0, None) + 0.05 * f["gender"] * side
    line = line + 0.10 * bald * np.clip(1 - side / 0.085, 0.15, 1)
    fall = np.clip((back - 0.040 - 0.02 * bald) / 0.034, 0, 1)
    line = line * (1 - fall) + fall * (-0.012)
    behind = np.clip((back - 0.118) / 0.02, 0, 1)
    line = line * (1 - behind) + behind * (-0.040)
    nape = np.clip((back - 0.150) / 0.04, 0, 1)
    line = line * (1 - nape) + nape * (-0.078 + 0.02 * (side / 0.06) ** 2)
    ground = 1 / (1 + np.exp(np.clip((line - up) / 0.0022, -30, 30)))
    if bald > 0:
        crown = np.clip((up - 0.045 - 0.03 * (1 - bald)) / 0.01, 0, 1) * np.clip(
            (back - 0.03) / 0.01, 0, 1
        )
        ground = ground * (1 - crown * min(1.0, 0.35 + bald))
    concha = (side > 0.062) & (back > 0.082) & (back < 0.132) & (up > -0.07) & (up < 0.0)
    return np.asarray(ground * ~concha * (zones[:, 4] < 0.30) * (zones[:, 6] < 0.3), np.float32)


def _scatter(
    random: np.random.Generator, body: BodySkin, weight: Array, count: int
) -> tuple[Array, Array]:
    """Random places on the skin, thick where ``weight`` is: points and outward normals."""
    corners, skin = body.mesh.triangles, body.skin
    mean = weight[corners].mean(1)
    some = np.flatnonzero(mean > 1e-3)
    if not len(some):
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)
    a, b, c = (skin[corners[some, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    total = np.cumsum(area * mean[some])
    pick = np.searchsorted(total, random.random(count) * total[-1]).clip(0, len(some) - 1)
    u, v = random.random((2, count, 1)).astype(np.float32)
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    points = a[pick] + u * (b - a)[pick] + v * (c - a)[pick]
    return points, normal[pick] / (area[pick, None] + 1e-12)


def _unit(x: Array) -> Array:
    return np.asarray(x / (np.sqrt((x * x).sum(-1, keepdims=True)) + 1e-9))


def _comb(roots: Array, normals: Array, frame: HeadFrame, f: Factors) -> Array:
    """The direction in which each root is combed, along the skin."""
    parting = 0.036 * f["hair_parting"]
    side = np.tanh((roots[:, 0:1] - parting) / 0.010)
    depth = roots[:, 1:2] - frame.front
    if f["hair_length"] > -0.15:
        way = side * [1.0, 0, 0] + np.array([0, 0.50, -0.20])
    else:  # short: forward on the crown, to the side at the front, down at the sides
        front = np.clip((0.10 - depth) / 0.05, 0, 1)
        up = np.clip((frame.eye + 0.05 - roots[:, 2:3]) / 0.03, 0, 1)
        way = (1 - up) * (
            front * (side * [0.7, 0, 0] + [0, 0.45, 0.25]) + (1 - front) * [0, -0.5, 0]
        )
        way = way + up * np.array([0, 0.25, -0.9])
    if f["fringe"] > 0:
        ahead = np.clip((0.085 - depth) / 0.03, 0, 1) * (np.abs(roots[:, 0:1]) < 0.065)
        way = way * (1 - ahead) + ahead * np.array([0.15 * f["hair_parting"], -0.75, -0.35])
    return _unit(way - (way * normals).sum(1, keepdims=True) * normals)


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
    roots, normals = _scatter(random, body, ground, _STRANDS)
    lead = random.choice(len(roots), _GUIDES, replace=False)
    lift = np.full((_GUIDES, 1), 0.45 if shown < 0.42 else 0.22)
    fringed = (f["fringe"] > 0) * _is_ahead(roots[lead], frame)[:, None]
    start = _unit(
        normals[lead] * (lift * (1 - 0.7 * fringed) + 0.25 * curl)
        + _comb(roots[lead], normals[lead], frame, f)
        + random.normal(0, 0.10, (_GUIDES, 3))
    )
    reach = length * random.uniform(0.82, 1.08, _GUIDES)
    line = _fringe_line(frame, f)
    ahead = _is_ahead(roots[lead], frame)
    if f["fringe"] > 0:
        wanted = (roots[lead, 2] - line) * 1.12 + 0.018
        reach = np.where(ahead, np.clip(wanted, 0.012, None), reach)
    fall = 0.10 if f["hair_length"] < -0.15 else 0.45 - 0.10 * curl
    guides = _grow_guides(
        random, (roots[lead], start, reach), frame, curl=curl, fall=fall, line=line
    )
    follow, second = _nearest_two(roots, roots[lead])
    t = np.linspace(0, 1, _STEPS)[None, :, None].astype(np.float32)
    lean = (0.30 + 0.45 * random.random((len(roots), 1, 1))) * t**0.8
    mix = 0.35 * random.random((len(roots), 1, 1))
    path = (1 - mix) * guides[follow] + mix * guides[second]
    own = roots[:, None] + (path - path[:, :1])
    points = own + lean * (path - own)
    points = points + random.normal(0, 1, (len(roots), 1, 3)) * (0.0012 + 0.010 * length) * t
    points = _cut(points, random.uniform(0.80, 1.0, (len(roots), 1, 1)))
    if curl > 0.05:
        points = _coil(random, points, follow, curl)
    height = 0.0025 + (0.004 + 0.010 * min(1.0, shown * 1.6) * (1 + 0.8 * curl)) * (
        random.random((len(roots), 1)).astype(np.float32) ** 1.3
    )
    if f["hat"] > 0:
        height = np.minimum(height, 0.004)
    grow = np.sqrt(t[..., 0]) * height
    points = frame.push_out(points, grow)
    points = keep_off_face(points, frame, line)
    points = frame.push_out(points, 0.0012 + 0.6 * grow)
    if f["hat"] > 0:
        points = points[(points[:, 0, 2] < _hat_height(frame, points[:, 0, 1]))]
        if not len(points):
            return None
    depth = np.clip(height[: len(points)] / (height.max() + 1e-9), 0, 1)
    tone = (
        random.normal(1, 0.09, len(points))
        * (0.82 + 0.3 * random.random(_GUIDES))[follow[: len(points)]]
    )
    if 0.05 < gray_share(f) < 0.95:
        tone = tone * np.where(random.random(len(points)) < 0.25, 1.7, 0.9)
    openness = np.broadcast_to(0.50 + 0.50 * depth, points.shape[:2])
    width = 0.00052 if shown > 0.42 else 0.00040
    return Strands(points, width, np.clip(tone, 0.4, 2.0), openness, 7.0)


def _is_ahead(roots: Array, frame: HeadFrame) -> Array:
    """Which roots ``[N, 3]`` a fringe grows from."""
    return np.asarray((roots[:, 1] - frame.front < 0.085) & (np.abs(roots[:, 0]) < 0.065))


def _coil(random: np.random.Generator, points: Array, follow: Array, curl: float) -> Array:
    """Strands wound round themselves, each lock in its own phase."""
    length = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1)[:, None, None]
    t = np.linspace(0, 1, points.shape[1])[None, :, None]
    phase = random.uniform(0, 2 * np.pi, _GUIDES)[follow][:, None, None]
    phase = phase + random.normal(0, 0.5, (len(points), 1, 1))
    turns = np.minimum(length / (0.085 - 0.055 * curl), 4.2)
    wave = phase + 2 * np.pi * turns * t
    along = _unit(points[:, -1:] - points[:, :1])
    across = _unit(np.cross(along, [0.0, 1.0, 0.05]))
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
    from scipy.spatial import cKDTree

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
) -> Array:
    """Guide strands ``[G, K, 3]`` from roots, first directions and lengths.

    Stiff at the root, falling, curling, sliding over the skin.
    """
    roots, start, reach = begun
    direction, x = start, roots
    step = (reach / (_STEPS - 1))[:, None]
    phase = random.uniform(0, 2 * np.pi, (len(roots), 1))
    turn = np.cross(direction, [0, 0, 1.0])
    turn = _unit(turn)
    chain = [x]
    for k in range(1, _STEPS):
        bend = direction + fall * np.array([0, 0, -1.0]) + random.normal(0, 0.035, x.shape)
        if curl > 0.05:
            wave = phase + k * (0.7 + 1.1 * curl)
            bend = bend + 0.25 * curl * (
                turn * np.sin(wave) + np.cross(turn, direction) * np.cos(wave)
            )
        y = x + _unit(bend) * step
        y = frame.push_out(y, 0.0025)
        y = frame.push_out(keep_off_face(y, frame, line), 0.0025)
        direction = _unit(_unit(bend) * 0.5 + _unit(y - x) * 0.5)
        x = y
        chain.append(x)
    return np.stack(chain, 1).astype(np.float32)


def _grow_short(roots: Array, normals: Array, way: Array, reach: Array, lift: float) -> Array:
    """Short hairs that lie on the skin: rise by ``lift``, then along ``way``."""
    t = np.linspace(0, 1, 5)[None, :, None]
    along = _unit(way - (way * normals).sum(1, keepdims=True) * normals)
    rise = normals[:, None] * (lift * t * (1 - 0.45 * t))
    return np.asarray(roots[:, None] + reach[:, None, None] * (along[:, None] * t + rise))


def brow_weight(rest: Array, f: Factors) -> Array:
    """Where brows grow on the skin at rest, 0..1 ``[v]``: an arch on the brow ridge."""
    side = np.abs(rest[:, 0])
    arch = np.interp(side, [0.010, 0.020, 0.038, 0.053], [0.0150, 0.0185, 0.0222, 0.0145])
    wide = np.interp(side, [0.010, 0.018, 0.035, 0.053], [0.0030, 0.0034, 0.0026, 0.0009])
    wide = wide * (1 + 0.35 * f["brow_thickness"])
    off = (rest[:, 2] - arch) / wide
    ends = np.clip((side - 0.011) / 0.004, 0, 1) * np.clip((0.055 - side) / 0.004, 0, 1)
    return np.asarray(np.exp(-(off**2)) * ends * (rest[:, 1] < 0.06), np.float32) ** 1.5


def grow_brows(body: BodySkin, f: Factors, seed: int) -> Strands:
    """Brows as short hairs, up at the inner end and outwards along the arch."""
    random = np.random.default_rng([seed, 2])
    weight = brow_weight(body.rest, f)
    count = int(1100 * (1 + 0.45 * f["brow_thickness"]))
    roots, normals = _scatter(random, body, weight, count)
    side = np.sign(roots[:, 0:1])
    inner = np.clip(1 - (np.abs(roots[:, 0:1]) - 0.012) / 0.022, 0, 1)
    way = side * [1.0, 0, 0] * (1 - 0.6 * inner) + np.array([0, 0, 1.0]) * (0.9 * inner - 0.12)
    way = way + random.normal(0, 0.14, way.shape)
    reach = 0.0058 * random.uniform(0.6, 1.1, len(roots))
    points = _grow_short(roots + normals * 2e-4, normals, way, reach, 0.16)
    tone = random.normal(0.8, 0.12, len(roots))
    return Strands(points, 0.00013, tone, np.full(points.shape[:2], 0.75), 3.0)


def beard_weight(rest: Array, zones: Array, f: Factors) -> tuple[Array, Array]:
    """Where a beard and a moustache grow, 0..1 ``[v]`` each."""
    up, back, side = rest[:, 2], rest[:, 1], np.abs(rest[:, 0])
    lip = np.clip((zones[:, 0] - 0.32) / 0.15, 0, 1)
    top = np.interp(side, [0.0, 0.022, 0.032, 0.055, 0.075], [-0.094, -0.090, -0.070, -0.040, 0.0])
    beard = np.clip((top - up) / 0.012, 0, 1) * np.clip((0.098 - back) / 0.02, 0, 1)
    beard *= np.clip((up + 0.150) / 0.02, 0, 1) * (zones[:, 4] < 0.2)
    over = np.clip((-0.052 - up) / 0.004, 0, 1) * np.clip((up + 0.073) / 0.004, 0, 1)
    over *= np.clip((0.034 - side) / 0.006, 0, 1) * (back < 0.05) * (zones[:, 2] < 0.55)
    return beard * (1 - lip), over * (1 - lip)


def grow_beard(body: BodySkin, f: Factors, seed: int) -> Strands | None:
    """Beard and moustache, from a day's to a full one; None where neither is."""
    beard, over = beard_weight(body.rest, body.zones, f)
    random = np.random.default_rng([seed, 3])
    parts = []
    for weight, amount, count in ((beard, f["beard"], 8000), (over, f["moustache"], 1500)):
        if amount <= 0.02:
            continue
        roots, normals = _scatter(random, body, weight, count)
        way = np.array([0, -0.10, -0.9]) + np.sign(roots[:, 0:1]) * [0.15, 0, 0]
        if weight is over:
            way = np.array([0, -0.1, -0.55]) + np.sign(roots[:, 0:1]) * [0.75, 0, 0]
        way = way + random.normal(0, 0.22, (len(roots), 3))
        longest = 0.009 if weight is over else 0.030
        reach = (0.0014 + longest * amount**1.8) * random.uniform(0.6, 1.15, len(roots))
        parts.append(_grow_short(roots, normals, way, reach, 0.45))
    if not parts:
        return None
    points = np.concatenate(parts)
    tone = random.normal(0.9, 0.16, len(points))
    return Strands(points, 0.00019, tone, np.full(points.shape[:2], 0.85), 7.0)


def ribbon_arrays(strands: Strands) -> tuple[Array, Array]:
    """Vertices ``[2SK, 10]`` (place, tangent, side, along, tone, openness) and triangles."""
    points = strands.points.astype(np.float32)
    count, steps, _ = points.shape
    tangent = np.empty_like(points)
    tangent[:, 1:-1] = points[:, 2:] - points[:, :-2]
    tangent[:, 0], tangent[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    along = np.linspace(0, 1, steps, dtype=np.float32)
    half = strands.width * (1 - 0.75 * along**2)
    out = np.empty((count, steps, 2, 10), np.float32)
    out[..., :3], out[..., 3:6] = points[:, :, None], _unit(tangent)[:, :, None]
    out[..., 6] = half[None, :, None] * np.array([-1, 1])
    out[..., 7] = along[None, :, None]
    out[..., 8] = strands.tone[:, None, None]
    out[..., 9] = strands.openness[:, :, None]
    first = (np.arange(count) * 2 * steps)[:, None] + np.arange(steps - 1) * 2
    corners = np.stack([first, first + 1, first + 2, first + 1, first + 3, first + 2], -1)
    return out.reshape(-1, 10), corners.reshape(-1).astype(np.int32)
