"""The hair of the face: brows, beards, moustaches."""

from __future__ import annotations

import numpy as np

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.strands import BodySkin, Strands, normalize_rows, scatter_roots


def _grow_short(roots: Array, normals: Array, way: Array, reach: Array, lift: float) -> Array:
    """Short hairs that lie on the skin: rise by ``lift``, then along ``way``."""
    t = np.linspace(0, 1, 5)[None, :, None]
    along = normalize_rows(way - (way * normals).sum(1, keepdims=True) * normals)
    rise = normals[:, None] * (lift * t * (1 - 0.45 * t))
    return np.asarray(roots[:, None] + reach[:, None, None] * (along[:, None] * t + rise))


def brow_weight(rest: Array, f: Factors) -> Array:
    """Where brows grow on the skin at rest, 0..1 ``[v]``: an arch on the brow ridge."""
    side = np.abs(rest[:, 0])
    arch = np.interp(side, [0.010, 0.020, 0.038, 0.053], [0.0182, 0.0205, 0.0228, 0.0198])
    wide = np.interp(side, [0.010, 0.018, 0.035, 0.053], [0.0030, 0.0034, 0.0026, 0.0009])
    wide = wide * (1 + 0.35 * f["brow_thickness"]) * (0.92 + 0.12 * f["gender"])
    off = (rest[:, 2] - arch) / wide
    ends = np.clip((side - 0.011) / 0.004, 0, 1) * np.clip((0.055 - side) / 0.004, 0, 1)
    return np.asarray(np.exp(-(off**2)) * ends * (rest[:, 1] < 0.06), np.float32) ** 1.5


def grow_brows(body: BodySkin, f: Factors, seed: int) -> Strands:
    """Brows as short hairs, up at the inner end and outwards along the arch."""
    random = np.random.default_rng([seed, 2])
    weight = brow_weight(body.rest, f)
    count = int(1100 * (1 + 0.45 * f["brow_thickness"]))
    roots, normals, _ = scatter_roots(random, body, weight, count)
    side = np.sign(roots[:, 0:1])
    inner = np.clip(1 - (np.abs(roots[:, 0:1]) - 0.012) / 0.022, 0, 1)
    way = side * [1.0, 0, 0] * (1 - 0.6 * inner) + np.array([0, 0, 1.0]) * (0.9 * inner - 0.12)
    way = way + random.normal(0, 0.14, way.shape)
    reach = 0.0052 * random.uniform(0.6, 1.1, len(roots))
    points = _grow_short(roots + normals * 2e-4, normals, way, reach, 0.16)
    tone = random.normal(1.15, 0.25, len(roots)).clip(0.5, 2.0)
    return Strands(points, 0.00011, tone, np.full(points.shape[:2], 0.85), 3.0)


def beard_weight(rest: Array, zones: Array, f: Factors) -> tuple[Array, Array]:
    """Where a beard and a moustache grow, 0..1 ``[v]`` each."""
    up, back, side = rest[:, 2], rest[:, 1], np.abs(rest[:, 0])
    lip = np.clip((zones[:, 0] - 0.32) / 0.15, 0, 1)
    cut, droop = f["beard_cut"], f["moustache_cut"]
    top = np.interp(side, [0.0, 0.022, 0.032, 0.055, 0.075], [-0.094, -0.090, -0.070, -0.040, 0.0])
    top = top + 0.007 * cut
    beard = np.clip((top - up) / 0.028, 0, 1) ** 1.6 * np.clip((0.098 - back) / 0.02, 0, 1)
    beard *= np.clip((np.interp(cut, [-1, -0.2, 0.3], [0.022, 0.044, 0.10]) - side) / 0.016, 0, 1)
    beard *= np.clip((up + 0.150) / 0.02, 0, 1) * (zones[:, 4] < 0.2)
    low = -0.069 - 0.005 * droop - 0.022 * max(droop, 0) * np.clip((side - 0.020) / 0.008, 0, 1)
    high = -0.056 + 0.005 * droop
    over = np.clip((high - up) / 0.005, 0, 1) * np.clip((up - low) / 0.004, 0, 1)
    over *= np.clip((0.032 + 0.006 * droop - side) / 0.006, 0, 1) * (back < 0.05)
    over *= zones[:, 2] < 0.55
    return beard * (1 - lip), over * (1 - lip)


def grow_beard(body: BodySkin, f: Factors, seed: int) -> Strands | None:
    """Beard and moustache, from a day's to a full one; None where neither is."""
    beard, over = beard_weight(body.rest, body.zones, f)
    random = np.random.default_rng([seed, 3])
    parts = []
    for weight, amount, count in ((beard, f["beard"], 8000), (over, f["moustache"], 1500)):
        if amount <= 0.02:
            continue
        roots, normals, _ = scatter_roots(random, body, weight, count)
        way = np.array([0, -0.10, -0.9]) + np.sign(roots[:, 0:1]) * [0.15, 0, 0]
        if weight is over:
            way = np.array([0, -0.1, -0.55]) + np.sign(roots[:, 0:1]) * [0.75, 0, 0]
        way = way + random.normal(0, 0.30, (len(roots), 3))
        longest = 0.009 if weight is over else 0.030
        reach = (0.0014 + longest * amount**1.8) * random.uniform(0.45, 1.1, len(roots))
        cheek = np.clip((np.abs(roots[:, 0]) - 0.030) / 0.030, 0, 1)
        reach = reach * (1 - 0.62 * cheek)  # a beard is longest at the chin
        low = (body.skin[:, 2] - body.rest[:, 2]).mean() - 0.115
        reach = reach * np.clip(1 + (roots[:, 2] - low) / 0.03, 0.30, 1)  # trimmed at the neck
        parts.append(_grow_short(roots, normals, way, reach, 0.26))
    if not parts:
        return None
    points = np.concatenate(parts)
    tone = random.normal(1.0, 0.26, len(points)).clip(0.4, 2.0)
    return Strands(points, 0.00014, tone, np.full(points.shape[:2], 0.9), 7.0)
