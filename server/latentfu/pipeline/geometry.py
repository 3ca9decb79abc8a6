"""The map between a crop's square and the layer, as OpenCV wants it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Quad
from latentfu.core.errors import BadInputError

Matrix = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole layer pixels, the ends excluded."""

SMALLEST_SIDE = 8.0
LARGEST_SIDE = 65536.0


def check_quad(quad: Quad) -> None:
    """Refuse squares that hold nothing to work on (raises BadInputError)."""
    corners = np.asarray(quad.corners, dtype=np.float64)
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise BadInputError(
            "The crop's corners are not four finite points: choose another aligner."
        )
    if not SMALLEST_SIDE <= quad.side <= LARGEST_SIDE or quad_area(corners) < SMALLEST_SIDE**2 / 2:
        raise BadInputError(
            f"The part to edit is only {quad.side:.0f} pixels wide: "
            f"at least {SMALLEST_SIDE:.0f} are needed, so scale the layer up first."
        )


def quad_area(corners: npt.NDArray[np.float64]) -> float:
    """Area by the shoelace formula, positive for the corner order that Quad asks for."""
    x, y = corners.T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def crop_to_layer(quad: Quad, side: float) -> Matrix:
    """3 x 3 homography from a crop spanning 0..``side`` to layer coordinates."""
    import cv2

    square = np.array([(0, 0), (side, 0), (side, side), (0, side)], dtype=np.float32)
    corners = np.asarray(quad.corners, dtype=np.float64)
    origin = corners.mean(axis=0)  # float32 corners of a large layer would lose sub-pixels
    matrix = cv2.getPerspectiveTransform(square, (corners - origin).astype(np.float32))
    return np.asarray(shift(*origin) @ matrix, dtype=np.float64)


def shift(x: float, y: float) -> Matrix:
    """The homography that adds (x, y)."""
    return np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], dtype=np.float64)


def warp(image: npt.NDArray[Any], matrix: Matrix, width: int, height: int, border: int) -> Floats:
    """``image`` float32 ``[H, W(, C)]`` seen through ``matrix`` (source to target), bilinear.

    The matrix speaks of coordinates whose pixel centres lie at half-integers, as everywhere in
    this project; OpenCV's lie at integers.
    """
    import cv2

    centred = shift(-0.5, -0.5) @ matrix @ shift(0.5, 0.5)
    warped = cv2.warpPerspective(
        image, centred, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(warped, dtype=np.float32)


def box_of(quad: Quad, width: int, height: int) -> Box:
    """The layer's pixels that the quad can touch; empty (x1 <= x0) when it lies outside."""
    corners = np.asarray(quad.corners)
    x0, y0 = np.floor(corners.min(axis=0))
    x1, y1 = np.ceil(corners.max(axis=0))
    return max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)


def scaled(quad: Quad, factor_x: float, factor_y: float) -> Quad:
    """The quad in a layer scaled by these factors."""
    a, b, c, d = ((x * factor_x, y * factor_y) for x, y in quad.corners)
    return Quad((a, b, c, d), quad.score)
