"""Turned faces: YuNet's landmarks lean towards the upright, so they are looked at upright again."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from latentfu_builtin.faces.detect import Face, Points, Rgb, faces

UPRIGHT = 3.0
"""Degrees within which a face is left as it was found."""
SURE = 0.9
"""Below this the picture is looked at turned too: a lying face scores 0.79 to 0.87."""
MOST_REFINED = 8
ROUNDS = 5

Matrix = npt.NDArray[np.float64]


def turned_faces(rgb: Rgb) -> list[Face]:
    """The faces in uint8 ``[H, W, 3]`` at any angle, largest first."""
    found = faces(rgb)
    if surest(found) < SURE:
        found = max([found, *lying_faces(rgb)], key=surest)
    return [refined(rgb, face) for face in found[:MOST_REFINED]] + found[MOST_REFINED:]


def surest(found: list[Face]) -> float:
    """The highest score, 0 without a face."""
    return max((face.score for face in found), default=0.0)


def lying_faces(rgb: Rgb) -> list[list[Face]]:
    """What shows when the picture is turned by one to three quarters, in its own pixels."""
    height, width = rgb.shape[:2]
    answers = []
    for quarters in (1, 2, 3):
        turned = faces(np.ascontiguousarray(np.rot90(rgb, quarters)))
        answers.append([turned_back(face, quarters, height, width) for face in turned])
    return answers


def turned_back(face: Face, quarters: int, height: int, width: int) -> Face:
    """A face of ``np.rot90(picture, quarters)`` in the picture."""
    x, y = face.landmarks.T
    for _ in range(quarters):  # one quarter: (x, y) came from (width - y, x)
        x, y = width - y, x
        height, width = width, height
    return replace(face, landmarks=np.stack([x, y], axis=1))


def roll(landmarks: Points) -> float:
    """How far the line of the eyes is turned, in degrees, clockwise in the picture."""
    across = landmarks[1] - landmarks[0]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def refined(rgb: Rgb, face: Face) -> Face:
    """The face with landmarks found in a cut-out in which it stands upright."""
    for _ in range(ROUNDS):
        angle = roll(face.landmarks)
        matrix, cut = upright_cut(rgb, face, angle)
        again = faces(cut) if abs(angle) > UPRIGHT else []
        if not again:
            return face
        middle = np.array(cut.shape[1::-1]) / 2
        nearest = min(again, key=lambda one: float(np.hypot(*(one.landmarks[2] - middle))))
        inverse = cv2.invertAffineTransform(matrix)
        landmarks = np.c_[nearest.landmarks, np.ones(5)] @ inverse.T
        face = replace(face, landmarks=np.asarray(landmarks, np.float64))
        if abs(roll(nearest.landmarks)) <= UPRIGHT:
            break
    return face


def upright_cut(rgb: Rgb, face: Face, angle: float) -> tuple[Matrix, Rgb]:
    """The surroundings of a face turned by ``angle`` degrees, and the way there."""
    side = round(min(2.5 * max(face.box[2:]), 640.0))
    zoom = side / (2.5 * max(face.box[2:]))
    center = face.landmarks.mean(axis=0)
    matrix = np.asarray(cv2.getRotationMatrix2D(tuple(center), angle, zoom), np.float64)
    matrix[:, 2] += side / 2 - center
    cut = cv2.warpAffine(rgb, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return matrix, np.asarray(cut, np.uint8)
