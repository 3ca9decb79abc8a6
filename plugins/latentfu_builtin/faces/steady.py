"""The same landmarks of a face however its photograph is turned, scaled, cropped or compressed.

YuNet's landmarks depend on the size and the angle at which it sees a face. So each face is looked
at again in cut-outs that are alike for all photographs of it: upright, of one size, a little
turned, scaled and mirrored to both sides. The mean of the answers is taken, and the cut-outs
are made anew from it, until the face stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from latentfu import face_quad

Rgb = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Find = Callable[[Rgb], list[Points]]
"""Landmarks ``[5, 2]`` of the faces in a picture, in its pixels."""

SIDE = 320
"""Pixels of a cut-out."""
SQUARE = 150.0
"""Pixels of the face's square in a cut-out, before it is scaled."""
SCALES = (0.8, 1.0, 1.25)
TURNS = (-12.0, -4.0, 4.0, 12.0)
ROUNDS = 3
STILL = 0.002
"""Parts of the square's side within which landmarks count as still."""
_APART = 0.15
"""Parts of the square's side: an answer with a landmark further off saw another face."""
_MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark is which in a mirror."""


@dataclass(frozen=True)
class Place:
    """Where a face's square is: its center, its side in pixels, its angle in degrees."""

    center: Points
    side: float
    angle: float


def _locate_square(landmarks: Points) -> Place:
    """The place of the FFHQ square of five landmarks."""
    mouth = (landmarks[3] + landmarks[4]) / 2
    eyes = tuple((float(x), float(y)) for x, y in landmarks[:2])
    quad = face_quad((eyes[0], eyes[1]), (float(mouth[0]), float(mouth[1])))
    corners = np.asarray(quad.corners, np.float64)
    top = corners[1] - corners[0]
    angle = float(np.degrees(np.arctan2(top[1], top[0])))
    return Place(corners.mean(axis=0), float(np.hypot(*top)), angle)


def settle_landmarks(rgb: Rgb, landmarks: Points, find: Find) -> Points:
    """Landmarks ``[5, 2]`` of the face at ``landmarks`` that do not depend on how it stands.

    Args:
        rgb: The picture, uint8 ``[H, W, 3]``.
        landmarks: Where the face was found, in pixels.
        find: The detector.

    Returns:
        The settled landmarks; those given where the cut-outs show no face.
    """
    for _ in range(ROUNDS):
        place = _locate_square(landmarks)
        answers = [found for found in _look_again(rgb, place, find) if found is not None]
        if len(answers) < len(SCALES) * len(TURNS):  # half of the cut-outs
            return landmarks
        settled = _average(np.asarray(answers, np.float64), place.side)
        moved = float(np.abs(settled - landmarks).max()) / place.side
        landmarks = settled
        if moved < STILL:
            break
    return landmarks


def _average(answers: Points, side: float) -> Points:
    """The mean ``[5, 2]`` of answers ``[N, 5, 2]``, but of those that saw another face."""
    middle = np.median(answers, axis=0)
    apart = np.abs(answers - middle).max(axis=(1, 2))
    near = answers[apart <= max(_APART * side, float(np.median(apart)))]
    return np.asarray(near.mean(axis=0), np.float64)


def _look_again(rgb: Rgb, place: Place, find: Find) -> Iterator[Points | None]:
    """What the detector says of each cut-out, in the picture's pixels."""
    for scale in SCALES:
        zoom = SQUARE * scale / place.side
        small, shrunk = _shrink(rgb, zoom)
        for turn in TURNS:
            matrix = _cut_matrix(place, place.angle + turn, zoom, shrunk)
            cut = cv2.warpAffine(small, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
            back = cv2.invertAffineTransform(matrix)
            for mirrored in (False, True):
                seen = np.ascontiguousarray(cut[:, ::-1] if mirrored else cut)
                found = _nearest_middle(find(np.asarray(seen, np.uint8)))
                if found is None:
                    yield None
                    continue
                if mirrored:
                    found = (found * [-1, 1] + [SIDE, 0])[_MIRRORED]
                yield (np.c_[found, np.ones(5)] @ back.T) / shrunk


def _shrink(rgb: Rgb, zoom: float) -> tuple[Rgb, Points]:
    """The picture made smaller first where a cut-out shrinks it, so that nothing flickers."""
    height, width = rgb.shape[:2]
    if zoom > 0.75:
        return rgb, np.ones(2)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, np.array([size[0] / width, size[1] / height])


def _cut_matrix(place: Place, angle: float, zoom: float, shrunk: Points) -> Matrix:
    """From the shrunk picture to a cut-out in which the square is in the middle, upright."""
    center = place.center * shrunk
    matrix = cv2.getRotationMatrix2D(tuple(center), angle, zoom / float(shrunk.mean()))
    made = np.asarray(matrix, np.float64)
    made[:, 2] += SIDE / 2 - center
    return made


def _nearest_middle(found: list[Points]) -> Points | None:
    """The face whose square is nearest to the middle of a cut-out."""
    if not found:
        return None
    return min(found, key=lambda one: float(np.hypot(*(one.mean(axis=0) - SIDE / 2))))
