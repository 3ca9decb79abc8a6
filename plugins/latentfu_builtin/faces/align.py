"""From a picture to the squares in which networks trained on FFHQ expect faces."""

from __future__ import annotations

import numpy as np
from latentfu import Quad, face_quad

from latentfu_builtin.faces.detect import Face, Rgb
from latentfu_builtin.faces.upright import turned_faces

SMALLEST = 16
"""Smaller pictures hold no face that could be found."""


def find(rgb: Rgb) -> list[Quad]:
    """The squares of all faces in uint8 ``[H, W, 3]``, largest first; turned as the faces are."""
    if min(rgb.shape[:2]) < SMALLEST:
        return []
    return [square(face) for face in turned_faces(rgb)]


def square(face: Face) -> Quad:
    """The FFHQ crop of a face, with its score."""
    right_eye, left_eye, _, right_mouth, left_mouth = face.landmarks
    mouth = (right_mouth + left_mouth) / 2
    quad = face_quad((point(right_eye), point(left_eye)), point(mouth))
    return Quad(quad.corners, face.score)


def point(place: np.ndarray) -> tuple[float, float]:
    """Two numbers."""
    return float(place[0]), float(place[1])
