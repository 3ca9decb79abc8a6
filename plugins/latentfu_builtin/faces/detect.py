"""Faces and their five landmarks by YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y).

YuNet's landmarks lean towards the upright, so turned faces are looked at upright again. From the
landmarks come the squares in which networks trained on FFHQ expect faces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from latentfu import BadInputError, Quad, face_quad

from latentfu_builtin.faces.steady import settle_landmarks

_WEIGHTS = Path(__file__).parent / "weights" / "yunet_n_640_640.onnx"
_SUREST_NOTHING = 0.6
_OVERLAP = 0.3
_MOST = 5000
_LARGEST_SIDE = 1280
"""Larger pictures are searched at this size: YuNet looks for faces of 10 to 300 px."""
Rgb = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
_UPRIGHT = 3.0
"""Degrees within which a face is left as it was found."""
_SURE = 0.9
"""Below this the picture is looked at turned too: a lying face scores 0.79 to 0.87."""
_SURE_TURNED, _TURNED_BY = 0.85, 0.03
"""What a turned face must score, and by how much more than the upright one, to be believed.

Whole lying faces score 0.90 to 0.95 once they stand and at least 0.038 more than before. Upright
faces cut by the border score up to 0.82 when lying, and 0.02 to 0.05 more than upright.
"""
_MOST_REFINED = 8
_MOST_SETTLED = 4
"""So many of the largest faces are looked at from all sides, the others as they were found."""
_ROUNDS = 5
Matrix = npt.NDArray[np.float64]
_SMALLEST = 16
"""Smaller pictures hold no face that could be found."""


@dataclass(frozen=True)
class DetectedFace:
    """``landmarks [5, 2]`` in pixels, centers at half-integers: the person's right eye and left
    eye, nose, right and left corner of the mouth. ``box``: x, y, width, height."""

    landmarks: Points
    box: tuple[float, float, float, float]
    score: float

    @property
    def size(self) -> float:
        """Area of the box in square pixels."""
        return self.box[2] * self.box[3]


def run_detector(rgb: Rgb) -> npt.NDArray[np.float32]:
    """What YuNet gives for uint8 ``[H, W, 3]`` at its own size: ``[N, 15]``, surest first.

    Columns: x, y, w, h, five landmarks, score, in pixels as OpenCV counts them.
    """
    height, width = rgb.shape[:2]
    found = _open_detector(width, height).detect(np.ascontiguousarray(rgb[:, :, ::-1]))[1]
    if found is None:
        return np.zeros((0, 15), np.float32)
    return np.asarray(found[np.argsort(-found[:, 14], kind="stable")], np.float32)


def detect_faces(rgb: Rgb) -> list[DetectedFace]:
    """The faces in uint8 ``[H, W, 3]``, largest first."""
    height, width = rgb.shape[:2]
    zoom = min(1.0, _LARGEST_SIDE / max(height, width))
    small = rgb
    if zoom < 1.0:
        size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([width / small.shape[1], height / small.shape[0]])
    found = [_read_face(row.astype(np.float64), scale) for row in run_detector(small)]
    return sorted(found, key=lambda face: -face.size)


def _read_face(row: Points, scale: Points) -> DetectedFace:
    """A row of the detector in the picture's own pixels."""
    landmarks = (row[4:14].reshape(5, 2) + 0.5) * scale
    x, y, width, height = row[:4]
    box = (x * scale[0], y * scale[1], width * scale[0], height * scale[1])
    return DetectedFace(landmarks, box, float(row[14]))


def _open_detector(width: int, height: int) -> Any:
    """YuNet for pictures of that size; BadInputError when its file cannot be read."""
    network = _load_network()
    network.setInputSize((width, height))
    return network


@cache
def _load_network() -> Any:
    """The network, read once; OpenCV's remarks about its own engines are for its authors."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(
            str(_WEIGHTS), "", (320, 320), _SUREST_NOTHING, _OVERLAP, _MOST
        )
    except cv2.error as error:
        raise BadInputError(
            f"The face detector {_WEIGHTS} cannot be read: install latentfu again."
        ) from error
    finally:
        cv2.utils.logging.setLogLevel(level)


def _detect_turned_faces(rgb: Rgb) -> list[DetectedFace]:
    """The faces in uint8 ``[H, W, 3]`` at any angle, largest first."""
    found = detect_faces(rgb)
    if _highest_score(found) < _SURE:
        found = _choose_turn(found, _detect_lying_faces(rgb))
    refined = [_refine(rgb, face) for face in found[:_MOST_REFINED]]
    settled = [_settle(rgb, face) for face in refined[:_MOST_SETTLED]]
    return settled + refined[_MOST_SETTLED:] + found[_MOST_REFINED:]


def _choose_turn(
    upright: list[DetectedFace], turned: list[list[DetectedFace]]
) -> list[DetectedFace]:
    """The faces as they stand in the picture, unless turned ones are clearly better."""
    shaped = [[face for face in found if _is_face_shaped(face.landmarks)] for found in turned]
    best = max(shaped, key=_highest_score)
    if not upright:
        return best
    needed = max(_SURE_TURNED, _highest_score(upright) + _TURNED_BY)
    return best if _highest_score(best) >= needed else upright


def _is_face_shaped(landmarks: Points) -> bool:
    """Whether the mouth lies below the eyes, as the eyes see it, and the nose between both."""
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    across, eyes = left_eye - right_eye, (right_eye + left_eye) / 2
    down = (right_mouth + left_mouth) / 2 - eyes
    below = float(across[0] * down[1] - across[1] * down[0])
    along = float((nose - eyes) @ down) / max(float(down @ down), 1e-9)
    return below > 0 and 0.0 < along < 1.0


def _highest_score(found: list[DetectedFace]) -> float:
    """The highest score, 0 without a face."""
    return max((face.score for face in found), default=0.0)


def _detect_lying_faces(rgb: Rgb) -> list[list[DetectedFace]]:
    """What shows when the picture is turned by one to three quarters, in its own pixels."""
    height, width = rgb.shape[:2]
    answers = []
    for quarters in (1, 2, 3):
        turned = detect_faces(np.ascontiguousarray(np.rot90(rgb, quarters)))
        answers.append([_turn_back(face, quarters, height, width) for face in turned])
    return answers


def _turn_back(face: DetectedFace, quarters: int, height: int, width: int) -> DetectedFace:
    """A face of ``np.rot90(picture, quarters)`` in the picture."""
    x, y = face.landmarks.T
    for _ in range(quarters):  # one quarter: (x, y) came from (width - y, x)
        x, y = width - y, x
        height, width = width, height
    return replace(face, landmarks=np.stack([x, y], axis=1))


def _measure_roll(landmarks: Points) -> float:
    """How far the line of the eyes is turned, in degrees, clockwise in the picture."""
    across = landmarks[1] - landmarks[0]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def _refine(rgb: Rgb, face: DetectedFace) -> DetectedFace:
    """The face with landmarks found in a cut-out in which it stands upright."""
    for _ in range(_ROUNDS):
        angle = _measure_roll(face.landmarks)
        matrix, cut = _cut_upright(rgb, face, angle)
        again = detect_faces(cut) if abs(angle) > _UPRIGHT else []
        if not again:
            return face
        middle = np.array(cut.shape[1::-1]) / 2
        nearest = min(again, key=lambda one: float(np.hypot(*(one.landmarks[2] - middle))))
        inverse = cv2.invertAffineTransform(matrix)
        landmarks = np.c_[nearest.landmarks, np.ones(5)] @ inverse.T
        face = replace(face, landmarks=np.asarray(landmarks, np.float64))
        if abs(_measure_roll(nearest.landmarks)) <= _UPRIGHT:
            break
    return face


def _settle(rgb: Rgb, face: DetectedFace) -> DetectedFace:
    """The face with landmarks that stay when the photograph is turned, scaled or cropped."""
    settled = settle_landmarks(rgb, face.landmarks, _find_landmarks)
    return replace(face, landmarks=settled)


def _find_landmarks(rgb: Rgb) -> list[Points]:
    """The landmarks of all faces in a cut-out."""
    return [face.landmarks for face in detect_faces(rgb)]


def _cut_upright(rgb: Rgb, face: DetectedFace, angle: float) -> tuple[Matrix, Rgb]:
    """The surroundings of a face turned by ``angle`` degrees, and the way there."""
    side = round(min(2.5 * max(face.box[2:]), 640.0))
    zoom = side / (2.5 * max(face.box[2:]))
    center = face.landmarks.mean(axis=0)
    matrix = np.asarray(cv2.getRotationMatrix2D(tuple(center), angle, zoom), np.float64)
    matrix[:, 2] += side / 2 - center
    cut = cv2.warpAffine(rgb, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return matrix, np.asarray(cut, np.uint8)


def find_face_squares(rgb: Rgb) -> list[Quad]:
    """The squares of all faces in uint8 ``[H, W, 3]``, largest first; turned as the faces are."""
    if min(rgb.shape[:2]) < _SMALLEST:
        return []
    return [_face_square(face) for face in _detect_turned_faces(rgb)]


def _face_square(face: DetectedFace) -> Quad:
    """The FFHQ crop of a face, with its score."""
    right_eye, left_eye, _, right_mouth, left_mouth = face.landmarks
    mouth = (right_mouth + left_mouth) / 2
    quad = face_quad((_point(right_eye), _point(left_eye)), _point(mouth))
    return Quad(quad.corners, face.score)


def _point(place: np.ndarray) -> tuple[float, float]:
    """Two numbers."""
    return float(place[0]), float(place[1])
