"""layer -> crop: the square that the generator understands, and the map between both."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop, Quad
from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer

Matrix = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
PixelBox = tuple[int, int, int, int]
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
    if quad.side > LARGEST_SIDE:
        raise BadInputError(
            f"The part to edit is {quad.side:.0f} pixels wide: at most {LARGEST_SIDE:.0f} are "
            f"possible, so choose another aligner."
        )
    if quad.side < SMALLEST_SIDE or quad_area(corners) < SMALLEST_SIDE**2 / 2:
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
    return np.asarray(translation(*origin) @ matrix, dtype=np.float64)


def translation(x: float, y: float) -> Matrix:
    """The homography that adds (x, y)."""
    return np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], dtype=np.float64)


def warp(image: npt.NDArray[Any], matrix: Matrix, width: int, height: int, border: int) -> Floats:
    """``image`` float32 ``[H, W(, C)]`` seen through ``matrix`` (source to target), bilinear.

    The matrix speaks of coordinates whose pixel centers lie at half-integers, as everywhere in
    this project; OpenCV's lie at integers.
    """
    import cv2

    centered = translation(-0.5, -0.5) @ matrix @ translation(0.5, 0.5)
    warped = cv2.warpPerspective(
        image, centered, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(warped, dtype=np.float32)


def box_around(quad: Quad, width: int, height: int) -> PixelBox:
    """The layer's pixels that the quad can touch; empty (x1 <= x0) when it lies outside."""
    corners = np.asarray(quad.corners)
    x0, y0 = np.floor(corners.min(axis=0))
    x1, y1 = np.ceil(corners.max(axis=0))
    return max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)


def scale_quad(quad: Quad, factor_x: float, factor_y: float) -> Quad:
    """The quad in a layer scaled by these factors."""
    a, b, c, d = ((x * factor_x, y * factor_y) for x, y in quad.corners)
    return Quad((a, b, c, d), quad.score)


SMALLEST_LAYER = 16
BLUR = 0.02
SOFT_FROM, FLAT_FROM = 0.03, 0.3
"""Where the padding is wholly blurred, and wholly flat: in crop sides outside the layer."""
NEUTRAL = 128.0
"""What stands behind transparent pixels: the color under them is often left-over garbage."""


def cut_crop(
    layer: Layer, quad: Quad, resolution: int, aligner: str, padding: str = "mirror"
) -> Crop:
    """The quad's content as float32 ``[3, R, R]`` in -1..1.

    Shrinking averages over the pixels that fall together; outside the layer its pixels are
    mirrored, and with ``padding`` "blur" fade there into a blur and then their mean color;
    transparent pixels count as neutral gray. Raises BadInputError for a quad that is
    too small.
    """
    check_quad(quad)
    pixels = _resample(show_on_gray(layer), quad, resolution)
    if padding == "blur":
        pixels = _fade_padding(pixels, measure_outside(layer, quad, resolution))
    image = np.clip(pixels.transpose(2, 0, 1) / 127.5 - 1.0, -1.0, 1.0)
    return Crop(np.ascontiguousarray(image, dtype=np.float32), quad, aligner)


def check_layer_pixels(layer: Layer) -> None:
    """Refuse a layer in which nothing can be recognized (raises BadInputError)."""
    if min(layer.width, layer.height) < SMALLEST_LAYER:
        raise BadInputError(
            f"The picture is only {layer.width} x {layer.height} pixels: at least "
            f"{SMALLEST_LAYER} x {SMALLEST_LAYER} are needed, so scale the layer up first."
        )


def measure_outside(layer: Layer, quad: Quad, resolution: int) -> Floats:
    """How far each crop pixel lies outside the layer, in crop sides: float32 ``[R, R]``."""
    places = (np.arange(resolution) + 0.5).astype(np.float64)
    x, y = np.meshgrid(places, places)
    to_layer = crop_to_layer(quad, resolution)
    px, py, scale = to_layer @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    px, py = px / scale, py / scale
    dx = np.maximum(np.maximum(-px, px - layer.width), 0.0)
    dy = np.maximum(np.maximum(-py, py - layer.height), 0.0)
    away = np.hypot(dx, dy) / quad.side
    return np.asarray(away.reshape(resolution, resolution), dtype=np.float32)


def _fade_padding(pixels: Floats, away: Floats) -> Floats:
    """``pixels [R, R, 3]`` blurred where ``away`` grows, and their median color far out."""
    import cv2

    if not away.any():
        return pixels
    sigma = max(1.0, BLUR * pixels.shape[0])
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma)
    median = np.median(pixels[away == 0], axis=0) if (away == 0).any() else blurred.mean((0, 1))
    soft = np.clip(away / SOFT_FROM, 0.0, 1.0)[:, :, None]
    flat = np.clip(away / FLAT_FROM, 0.0, 1.0)[:, :, None]
    mixed = pixels + soft * (blurred - pixels)
    return np.asarray(mixed + flat * (median - mixed), dtype=np.float32)


def cut_mask(mask: npt.NDArray[np.uint8], quad: Quad, resolution: int) -> Floats:
    """A mask uint8 ``[H, W]`` seen in the crop: float32 ``[R, R]`` in 0..1."""
    values = _resample(mask.astype(np.float32)[:, :, None], quad, resolution)
    return np.asarray(np.clip(values[:, :, 0] / 255.0, 0.0, 1.0), dtype=np.float32)


def show_on_gray(layer: Layer) -> Floats:
    """The layer as it looks on neutral gray: float32 ``[H, W, 3]`` in 0..255."""
    color = layer.rgb().astype(np.float32)
    if not layer.has_alpha:
        return color
    alpha = layer.pixels[:, :, 3:].astype(np.float32) / 255.0
    return np.asarray(NEUTRAL + alpha * (color - NEUTRAL), dtype=np.float32)


def _resample(image: npt.NDArray[Any], quad: Quad, resolution: int) -> Floats:
    """``image`` float32 ``[H, W, C]`` inside the quad as ``[R, R, C]``, filtered when shrunk.

    A first exact reduction keeps the work small for huge layers; the rest is one warp at
    several samples a pixel and their mean.
    """
    import cv2

    image, quad = _reduce_image(image, quad, floor(quad.side / resolution / 16))
    samples = max(1, ceil(quad.side / resolution))
    side = resolution * samples
    to_crop: Matrix = np.linalg.inv(crop_to_layer(quad, side)).astype(np.float64)
    warped = warp(image, to_crop, side, side, cv2.BORDER_REFLECT_101)
    warped = warped.reshape(resolution, samples, resolution, samples, -1)
    return np.asarray(warped.mean(axis=(1, 3)), dtype=np.float32)


def _reduce_image(
    image: npt.NDArray[Any], quad: Quad, factor: int
) -> tuple[npt.NDArray[Any], Quad]:
    """``image`` cut to the quad's surroundings and, for a factor of 2 or more, scaled down."""
    import cv2

    height, width = image.shape[:2]
    corners = np.asarray(quad.corners)
    margin = 4 * max(factor, 1)
    x0, y0 = np.clip(np.floor(corners.min(axis=0)) - margin, 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)) + margin, (x0 + 1, y0 + 1), (width, height))
    if (corners < 0).any() or (corners > (width, height)).any():
        x0, y0, x1, y1 = 0, 0, width, height  # mirroring needs the whole picture
    image = image[int(y0) : int(y1), int(x0) : int(x1)]
    moved = translation(-x0, -y0)
    a, b, c, d = ((x + moved[0, 2], y + moved[1, 2]) for x, y in quad.corners)
    quad = Quad((a, b, c, d), quad.score)
    if factor < 2:
        return np.ascontiguousarray(image), quad
    height, width = image.shape[:2]
    small_width, small_height = max(1, round(width / factor)), max(1, round(height / factor))
    channels = image.shape[2]
    small = cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA)
    return (
        small.reshape(small_height, small_width, channels),
        scale_quad(quad, small_width / width, small_height / height),
    )
