"""Camera, lights and the turn of the head, from factors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.head_frame import HeadFrame
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.strands import hue_color

_HALF_VIEW = 1.25 * math.tan(0.1475)  # meters to each side that the picture shows at the face
_TURN_SHARE = 0.7  # of the yaw, by the neck; the rest by the whole person


Framing = Literal["wide", "face"]
"""What a picture shows: head and shoulders as the camera sees them, or the square of the FFHQ data
set round the face at rest, upright and always as large, as an aligner cuts it from photographs."""


@dataclass(frozen=True)
class Shot:
    """Matrices (row-major, for column vectors) and lights of one picture.

    ``spread`` is the half width of what is seen at a meter's distance. ``frame`` ``[2, 3]`` leads
    from the picture (-1..1, y up) to the whole of what the camera sees.
    """

    eye: Array
    view: Array
    shadow: Array
    lights: dict[str, Array]
    from_side: tuple[float, float]
    spread: float
    frame: Array


def turn_head(points: Array, frame: HeadFrame, f: Factors) -> Array:
    """Points ``[..., 3]`` with the head turned on its neck; below the neck nothing moves."""
    t = np.clip((points[..., 2] - (frame.eye - 0.215)) / 0.095, 0, 1)
    part = t * t * (3 - 2 * t)
    yaw = math.radians(40) * f["yaw"] * _TURN_SHARE * part
    pitch, roll = math.radians(9) * f["pitch"] * part, math.radians(8) * f["roll"] * part
    pivot = np.array([0, frame.front + 0.115, frame.eye - 0.11])
    x, y, z = np.moveaxis(points - pivot, -1, 0)
    x, y = x * np.cos(yaw) - y * np.sin(yaw), x * np.sin(yaw) + y * np.cos(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, z = x * np.cos(roll) + z * np.sin(roll), z * np.cos(roll) - x * np.sin(roll)
    return np.asarray(np.stack([x, y, z], -1) + pivot, np.float32)


def _look_at(eye: Array, target: Array, up: Array) -> Array:
    """The matrix from the room to a camera's own axes."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[0, :3], matrix[1, :3], matrix[2, :3] = right, np.cross(right, forward), -forward
    matrix[:3, 3] = -matrix[:3, :3] @ eye
    return matrix


def _perspective(angle: float, near: float, far: float) -> Array:
    t = 1 / math.tan(angle / 2)
    matrix = np.zeros((4, 4))
    matrix[0, 0] = matrix[1, 1] = t
    matrix[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
    matrix[3, 2] = -1
    return matrix


def _parallel(half: float, near: float, far: float) -> Array:
    matrix = np.diag([1 / half, 1 / half, -2 / (far - near), 1.0])
    matrix[2, 3] = -(far + near) / (far - near)
    return matrix


def take_shot(frame: HeadFrame, f: Factors) -> Shot:
    """Camera before the face, key, fill and rim light in the camera's own directions."""
    yaw = -math.radians(40) * f["yaw"] * (1 - _TURN_SHARE)
    pitch, roll = -math.radians(9) * f["pitch"], -math.radians(8) * f["roll"]
    target = np.array([0, frame.front + 0.09, frame.eye - 0.028])
    sin, cos = math.sin(yaw), math.cos(yaw)
    way = np.array([sin * math.cos(pitch), -cos * math.cos(pitch), math.sin(pitch)])
    far = 1.25 * 2.0 ** (0.75 * f["camera_distance"])
    eye = target + far * way
    up = np.array([math.sin(roll) * cos, math.sin(roll) * sin, math.cos(roll)])
    camera = _look_at(eye, target, up)
    axes = camera[:3, :3].T

    def toward(across: float, height: float) -> Array:
        v = [math.sin(across) * math.cos(height), math.sin(height)]
        return np.asarray(axes @ np.array([*v, math.cos(across) * math.cos(height)]))

    side = 0.95 * f["light_x"] + (0.30 if f["light_x"] >= 0 else -0.30)
    sign = 1.0 if side >= 0 else -1.0
    key = toward(side, 0.55 + 0.40 * f["light_y"])
    warm, contrast = f["light_warmth"], f["light_contrast"]
    lights = {
        "key": key,
        "keyColor": 1.30 * np.array([1 + 0.10 * warm, 1.0 - 0.01 * abs(warm), 1 - 0.20 * warm]),
        "fill": toward(-sign * 0.9, 0.08),
        "fillColor": (0.34 - 0.20 * contrast) * np.array([0.94, 0.98, 1.06]),
        "rim": toward(-sign * 2.45, 0.45),
        "rimColor": 1.15 * np.array([1.0, 0.98, 0.96]),
    }
    wall = background_colors(f)[1]
    lights["sky"] = (0.36 - 0.10 * contrast) * (0.75 + 0.5 * wall)
    lights["ground"] = (0.20 - 0.08 * contrast) * np.array([1.0, 0.9, 0.82])
    center = target - np.array([0, 0, 0.05])
    shadow = _parallel(0.26, 0.2, 2.4) @ _look_at(center + 1.2 * key, center, np.array([0, 0, 1.0]))
    view = _perspective(2 * math.atan(_HALF_VIEW / far), 0.4, 4.0) @ camera
    whole = np.eye(3)[:2]
    return Shot(eye, view, shadow, lights, (math.sin(side), 0.4), _HALF_VIEW / far, whole)


def crop_shot(shot: Shot, corners: Array) -> Shot:
    """The same shot of a square alone, which becomes the picture.

    Args:
        shot: Of the whole.
        corners: Of the square, ``[4, 2]``, x and y in 0..1 of the whole from its top left; top
            left, top right, bottom right, bottom left of the new picture.
    """
    places = (np.asarray(corners, float) * 2 - 1) * [1, -1]  # -1..1, y up
    middle = places.mean(0)
    across, up = (places[1] - places[0]) / 2, (places[0] - places[3]) / 2
    frame = np.stack([across, up, middle], 1)  # [2, 3]
    inward = np.linalg.inv(np.vstack([frame, [0, 0, 1]]))
    crop = np.eye(4)
    crop[:2, :2], crop[:2, 3] = inward[:2, :2], inward[:2, 2]
    part = math.hypot(across[0], across[1])
    return replace(shot, view=crop @ shot.view, spread=shot.spread * part, frame=frame)


def background_colors(f: Factors) -> tuple[Array, Array]:
    """The dark and the light color of what lies behind."""
    light = (f["background_light"] + 1) / 2
    strong = 0.03 + 0.09 * abs(math.sin(7 * f["background_hue"]))
    if f["background_kind"] > 1 / 3:  # gardens are green to golden
        hue = -0.58 + 0.15 * f["background_hue"]
        return hue_color(hue, 0.21, 0.13 + 0.36 * light), hue_color(
            hue - 0.1, 0.17, 0.26 + 0.5 * light
        )
    low = hue_color(f["background_hue"], strong, 0.12 + 0.55 * light)
    return low, hue_color(f["background_hue"], strong * 0.8, 0.30 + 0.62 * light)
