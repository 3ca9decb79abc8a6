"""The square of one face stays where it is when its photograph is turned, scaled or cropped."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from latentfu_builtin.faces.detect import find_face_squares
from PIL import Image

PHOTO = np.asarray(Image.open(Path(__file__).parent / "reference" / "astronaut.png").convert("RGB"))


def measure(picture: np.ndarray, matrix: np.ndarray) -> tuple[float, float, float]:
    """Degrees, and parts of its side, by which the square is elsewhere than in the photograph."""
    before = np.asarray(find_face_squares(PHOTO)[0].corners) @ matrix[:, :2].T + matrix[:, 2]
    after = np.asarray(find_face_squares(picture)[0].corners)
    (old, was), (new, now) = ((c[1] - c[0], c.mean(axis=0)) for c in (before, after))
    turn = np.degrees(np.arctan2(old[0] * new[1] - old[1] * new[0], old @ new))
    side = np.hypot(*old)
    return abs(float(turn)), abs(np.hypot(*new) / side - 1), float(np.hypot(*(now - was)) / side)


def turned(angle: float) -> tuple[np.ndarray, np.ndarray]:
    matrix = cv2.getRotationMatrix2D((225, 125), angle, 1.0)
    return cv2.warpAffine(PHOTO, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE), matrix


def scaled(factor: float) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.array([[factor, 0, 0], [0, factor, 0]])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(PHOTO, None, fx=factor, fy=factor, interpolation=how), matrix


@pytest.mark.parametrize(
    ("picture", "matrix"),
    [
        turned(-25),
        turned(15),
        scaled(2.5),
        (PHOTO[20:400, 60:480].copy(), np.array([[1.0, 0, -60], [0, 1, -20]])),
    ],
    ids=["turned left", "turned right", "larger", "cropped"],
)
def test_the_square_turns_by_a_degree_and_moves_by_a_hundredth_at_most(
    picture: np.ndarray, matrix: np.ndarray
) -> None:
    turn, side, moved = measure(picture, matrix)
    assert turn <= 1 and side <= 0.01 and moved <= 0.01
