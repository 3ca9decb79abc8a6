"""Faces and their five landmarks by YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from latentfu import BadInputError

WEIGHTS = Path(__file__).parent / "weights" / "yunet_n_640_640.onnx"
SUREST_NOTHING = 0.6
OVERLAP = 0.3
MOST = 5000
LARGEST_SIDE = 1280
"""Larger pictures are searched at this size: YuNet looks for faces of 10 to 300 px."""

Rgb = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """``landmarks [5, 2]`` in pixels, centres at half-integers: the person's right eye and left
    eye, nose, right and left corner of the mouth. ``box``: x, y, width, height."""

    landmarks: Points
    box: tuple[float, float, float, float]
    score: float

    @property
    def size(self) -> float:
        """Area of the box in square pixels."""
        return self.box[2] * self.box[3]


def detected(rgb: Rgb) -> npt.NDArray[np.float32]:
    """What YuNet gives for uint8 ``[H, W, 3]`` at its own size: ``[N, 15]``, surest first.

    Columns: x, y, w, h, five landmarks, score, in pixels as OpenCV counts them.
    """
    height, width = rgb.shape[:2]
    found = detector(width, height).detect(np.ascontiguousarray(rgb[:, :, ::-1]))[1]
    if found is None:
        return np.zeros((0, 15), np.float32)
    return np.asarray(found[np.argsort(-found[:, 14], kind="stable")], np.float32)


def faces(rgb: Rgb) -> list[Face]:
    """The faces in uint8 ``[H, W, 3]``, largest first."""
    height, width = rgb.shape[:2]
    zoom = min(1.0, LARGEST_SIDE / max(height, width))
    small = rgb
    if zoom < 1.0:
        size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([width / small.shape[1], height / small.shape[0]])
    found = [face_of(row.astype(np.float64), scale) for row in detected(small)]
    return sorted(found, key=lambda face: -face.size)


def face_of(row: Points, scale: Points) -> Face:
    """A row of the detector in the picture's own pixels."""
    landmarks = (row[4:14].reshape(5, 2) + 0.5) * scale
    x, y, width, height = row[:4]
    box = (x * scale[0], y * scale[1], width * scale[0], height * scale[1])
    return Face(landmarks, box, float(row[14]))


def detector(width: int, height: int) -> Any:
    """YuNet for pictures of that size; BadInputError when its file can not be read."""
    network = loaded()
    network.setInputSize((width, height))
    return network


@cache
def loaded() -> Any:
    """The network, read once; OpenCV's remarks about its own engines are for its authors."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(
            str(WEIGHTS), "", (320, 320), SUREST_NOTHING, OVERLAP, MOST
        )
    except cv2.error as error:
        raise BadInputError(
            f"The face detector {WEIGHTS} can not be read: install latentfu again."
        ) from error
    finally:
        cv2.utils.logging.setLogLevel(level)
