"""How each stuff of a picture looks, from factors: the uniforms of its shader."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from latentfu_builtin.people.camera import Shot, background_colors
from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.strands import Strands, cloth_color

Look = dict[str, Any]
"""Uniforms of one draw call, by name."""


def describe_skin(f: Factors, hair: Array, eyes: tuple[Array, Array, float], seed: int) -> Look:
    """Skin with everything painted on it; ``hair`` is the hair's color ``[3]``."""
    dark = (f["skin_tone"] + 1) / 2
    stops = np.array(
        [[0.52, 0.325, 0.245], [0.46, 0.265, 0.185], [0.36, 0.195, 0.122], [0.20, 0.104, 0.064]]
    )
    stops = np.concatenate([stops, [[0.098, 0.050, 0.033]]])
    base = np.array([np.interp(dark * 4, range(5), stops[:, k]) for k in range(3)])
    paint = np.array([0.30, 0.050, 0.050]) * (1 - 0.5 * dark)
    pink, brown = max(f["lipstick_hue"], 0), max(-f["lipstick_hue"], 0)
    paint = paint + pink * np.array([0.09, 0.05, 0.07]) - brown * np.array([0.16, -0.02, 0.0])
    old = float(np.clip((f["age"] - 35) / 50, 0, 1))
    return {
        "base": base,
        "hairColor": hair,
        "lipColor": np.clip(paint, 0.01, 1),
        "lipstick": 0.95 * min(1.0, 0.25 + max(f["lipstick"], 0.0)) * (f["lipstick"] > 0),
        "wrinkles": float(np.clip(old + 0.45 * f["wrinkles"], 0, 1.2)),
        "freckles": 0.45 + 0.55 * f["freckles"] if f["freckles"] > 0 else 0.0,
        "blush": float(np.clip(0.5 + 0.9 * f["blush"], 0, 1.4)),
        "stubble": 0.9,
        "melanin": dark,
        "makeup": 0.35 + 0.65 * f["eye_makeup"] if f["eye_makeup"] > 0 else 0.0,
        "pores": 1.0 + 0.9 * f["pores"],
        "blemishes": 0.35 + 0.65 * f["blemishes"] if f["blemishes"] > 0 else 0.0,
        "seed": np.random.default_rng([seed, 5]).random(3),
        "centerL": eyes[0],
        "centerR": eyes[1],
        "radius": eyes[2],
        "browWide": f["brow_thickness"] + 0.3 * f["gender"] - 0.2,
    }


def describe_clothes(f: Factors) -> Look:
    """Cloth with its neckline; the collar's kind says how high it closes."""
    color = cloth_color(f["clothes_hue"], f["clothes_light"])
    depth = f["neckline"]
    cut = [-0.205 - 0.03 * depth, 0.09, float(np.clip(3 * depth, 0, 1)), -0.155]
    if f["collar_kind"] > 1 / 3:  # roll neck
        cut = [-0.168 - 0.008 * depth, 0.4, 0.0, -0.128 - 0.008 * depth]
    elif f["collar_kind"] > -1 / 3:  # shirt: a narrow V under the collar
        cut = [-0.215 - 0.03 * depth, 0.075, 1.0, -0.150]
    return {
        "base": color,
        "gloss": 0.04,
        "region": 10.0,
        "weave": 1.0,
        "ribs": 0.0,
        "lash": 0.0,
        "tooth": 0.0,
        "rolled": float(f["collar_kind"] > 1 / 3),
        "placket": float(-1 / 3 < f["collar_kind"] <= 1 / 3),
        "origin": np.array([0.0, 0.09, 0.0]),
        "cut": np.array(cut),
    }


def describe_plain(base: tuple[float, float, float], gloss: float, region: float) -> Look:
    """One plain stuff: linear color, gloss, number of its region."""
    return {
        "base": base,
        "gloss": gloss,
        "region": region,
        "weave": 0.0,
        "ribs": 0.0,
        "lash": 0.0,
        "tooth": 0.0,
        "cut": np.zeros(4),
        "rolled": 0.0,
        "placket": 0.0,
        "origin": np.zeros(3),
    }


def describe_eye(eyes: tuple[Array, Array, float], f: Factors) -> Look:
    """Eyeballs ``(left, right, radius)`` with iris and gaze."""
    left, right, radius = eyes
    color = (f["eye_color"] + 1) / 2
    stops = np.array([[0.040, 0.019, 0.009], [0.10, 0.052, 0.024], [0.105, 0.090, 0.042]])
    stops = np.concatenate([stops, [[0.095, 0.125, 0.105], [0.095, 0.145, 0.205]]])
    iris = np.array([np.interp(color * 4, range(5), stops[:, k]) for k in range(3)])
    across, up = 0.36 * f["gaze_x"], 0.26 * f["gaze_y"]
    turn = math.radians(40) * f["yaw"] * 0.45 - across  # eyes stay half with the camera
    # a head turned to +x looks along (sin, -cos)
    yaw = math.radians(40) * f["yaw"] * 0.7 - turn
    gaze = np.array([math.sin(yaw), -math.cos(yaw), up - 0.07])  # the lids' opening lies low
    return {
        "centerL": left,
        "centerR": right,
        "radius": radius,
        "iris": iris,
        "gazeL": gaze / np.linalg.norm(gaze),
        "gazeR": gaze / np.linalg.norm(gaze),
        "lidDrop": 0.0,
    }


def describe_hair(strands: Strands, color: Array, f: Factors) -> Look:
    """Strands of a linear color ``[3]``, those of the face less shiny."""
    on_face = strands.points.shape[1] < 6
    return {
        "base": color * (0.8 if on_face else 1.0),
        "region": strands.region,
        "shine": 0.35
        if on_face
        else (1.0 - 0.5 * max(f["hair_curl"], 0.0)) * (0.55 if f["hair_length"] < -0.15 else 0.85),
        "tipLight": 0.12,
        "soft": 0.0,
    }


def describe_backdrop(shot: Shot, f: Factors, seed: int) -> Look:
    """What lies behind, out of focus."""
    low, high = background_colors(f)
    kind = f["background_kind"]
    return {
        "low": low,
        "high": high,
        "scene": 0.0 if kind < -1 / 3 else 1.0 if kind < 1 / 3 else 2.0,
        "seed": np.random.default_rng([seed, 6]).random(3),
        "from": shot.from_side,
        "frame": np.vstack([shot.frame, [0, 0, 1]]),
    }


def describe_lens(f: Factors) -> Look:
    """Spectacle lenses: clear, or dark for the sun."""
    return {"tint": 0.35 + 0.5 * f["glasses_tint"] if f["glasses_tint"] > 0 else 0.0}
