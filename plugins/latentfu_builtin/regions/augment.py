"""Changes to rendered people that photographs need: the parser must not learn the renderer's look.

All of it works on one picture, uint8 ``[S, S, 3]``, and its map of regions, uint8 ``[S, S]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from latentfu_builtin.people.region_names import REGIONS

Pixels = npt.NDArray[Any]
Random = np.random.Generator
_BACKGROUND = REGIONS.index("background")
_CLOTHES = REGIONS.index("clothes")
_HAT = REGIONS.index("hat")
_HAIR = REGIONS.index("hair")


def draw_example(
    pixels: Pixels, regions: Pixels, quad: Pixels, size: int, random: Random
) -> tuple[Pixels, Pixels]:
    """A changed cut-out around the ``quad [4, 2]``: ``[size, size, 3]`` and ``[size, size]``."""
    image, labels = _cut_about(pixels, regions, quad, size, random)
    image = image.astype(np.float32)
    if random.random() < 0.75:
        image = _replace(image, labels == _BACKGROUND, _draw_texture(size, random), random)
    for region in (_CLOTHES, _HAT):
        if random.random() < 0.5:
            image = _paint_over(image, labels == region, _draw_texture(size, random), random)
    if random.random() < 0.3:
        image = _tint(image, labels == _HAIR, random)
    if random.random() < 0.25:
        image, labels = _cover_some(image, labels, random)
    image = _light(image, random)
    image = _take_photograph(image, random)
    return np.clip(image, 0, 255).astype(np.uint8), labels


def cut_plain(pixels: Pixels, regions: Pixels, quad: Pixels, size: int) -> tuple[Pixels, Pixels]:
    """The cut-out of the ``quad`` itself, without any change: for measuring."""
    return _warp_both(pixels, regions, quad, size)


def _cut_about(
    pixels: Pixels, regions: Pixels, quad: Pixels, size: int, random: Random
) -> tuple[Pixels, Pixels]:
    """A square about the face's own: larger or smaller, shifted, turned, mirrored."""
    side = float(np.linalg.norm(quad[1] - quad[0]))
    middle = quad.mean(axis=0) + side * random.normal(0.0, 0.05, 2)
    turn = np.radians(random.normal(0.0, 10.0))
    zoom = float(np.exp(random.normal(0.0, 0.16)))
    around = (quad - quad.mean(axis=0)) * zoom
    turned = around @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = middle + turned
    if random.random() < 0.5:
        corners = corners[[1, 0, 3, 2]]
    return _warp_both(pixels, regions, corners, size)


def _warp_both(
    pixels: Pixels, regions: Pixels, corners: Pixels, size: int
) -> tuple[Pixels, Pixels]:
    square = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform((corners - 0.5).astype(np.float32), square)
    border = cv2.BORDER_REFLECT_101
    image = cv2.warpPerspective(
        pixels, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=border
    )
    labels = cv2.warpPerspective(
        regions, matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=border
    )
    return np.asarray(image), np.asarray(labels)


def _draw_texture(size: int, random: Random) -> Pixels:
    """Something that may lie behind a person or be woven into clothes: ``[size, size, 3]``."""
    kinds: tuple[Callable[[int, Random], Pixels], ...] = (_clouds, _gradient, _stripes, _patches)
    return kinds[int(random.integers(len(kinds)))](size, random)


def _color(random: Random) -> Pixels:
    """A color, seldom a loud one."""
    gray = random.uniform(0, 255)
    spread = (8.0, 30.0, 70.0)[int(random.integers(3))]
    return np.asarray(np.clip(gray + random.normal(0, 1, 3) * spread, 0, 255), np.float32)


def _clouds(size: int, random: Random) -> Pixels:
    """Noise of several sizes between two colors."""
    field = np.zeros((size, size), np.float32)
    for cells in (2, 4, 8, 16, 32, 64):
        noise = random.standard_normal((cells, cells), dtype=np.float32)
        weight = cells ** -random.uniform(0.2, 1.2)
        field += weight * cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    part = 1 / (1 + np.exp(-2.0 * field / field.std()))[:, :, None]
    return np.asarray(_color(random) * part + _color(random) * (1 - part), np.float32)


def _gradient(size: int, random: Random) -> Pixels:
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    angle = random.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    part = ((along - along.min()) / np.ptp(along))[:, :, None]
    return np.asarray(_color(random) * part + _color(random) * (1 - part), np.float32)


def _stripes(size: int, random: Random) -> Pixels:
    """Stripes or checks, with a blur."""
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    angle, wide = random.uniform(0, np.pi), random.uniform(3, size / 3)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / wide)
    if random.random() < 0.5:
        wave = wave * np.sin((x * -np.sin(angle) + y * np.cos(angle)) * 2 * np.pi / wide)
    part = (wave > random.uniform(-0.5, 0.5)).astype(np.float32)
    part = cv2.GaussianBlur(part, (0, 0), random.uniform(0.4, 3))[:, :, None]
    return np.asarray(_color(random) * part + _color(random) * (1 - part), np.float32)


def _patches(size: int, random: Random) -> Pixels:
    """Boxes and discs in many colors, more or less out of focus: rooms, streets, leaves."""
    image = np.tile(_color(random).astype(np.float32), (size, size, 1))
    for _ in range(int(random.integers(4, 40))):
        color = tuple(float(c) for c in _color(random))
        a, b = (tuple(int(v) for v in random.integers(-20, size + 20, 2)) for _ in range(2))
        if random.random() < 0.5:
            cv2.rectangle(image, a, b, color, -1)
        else:
            cv2.circle(image, a, int(random.integers(2, size // 3)), color, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 8)), np.float32)


def _soften(mask: Pixels, random: Random) -> Pixels:
    """A mask with an edge like a lens draws it, ``[S, S, 1]``."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), random.uniform(0.4, 1.2))
    return np.asarray(soft[:, :, None])


def _replace(image: Pixels, mask: Pixels, texture: Pixels, random: Random) -> Pixels:
    return np.asarray(image + _soften(mask, random) * (texture - image))


def _paint_over(image: Pixels, mask: Pixels, texture: Pixels, random: Random) -> Pixels:
    """A new color and pattern under the light that is there."""
    if not mask.any():
        return image
    gray = image.mean(axis=2, keepdims=True)
    light = gray / max(float(gray[mask].mean()), 20.0)
    return _replace(image, mask, np.clip(texture * light, 0, 255), random)


def _tint(image: Pixels, mask: Pixels, random: Random) -> Pixels:
    """Another color and contrast of hair."""
    if not mask.any():
        return image
    mean = image[mask].mean(axis=0)
    other = (image - mean) * random.uniform(0.6, 1.8) + np.clip(
        mean + random.normal(0, 40) + random.normal(0, 15, 3), 8, 235
    )
    return _replace(image, mask, other, random)


def _cover_some(image: Pixels, labels: Pixels, random: Random) -> tuple[Pixels, Pixels]:
    """Something before the person: it is no region of theirs."""
    size = image.shape[0]
    mask = np.zeros((size, size), np.uint8)
    middle = tuple(int(v) for v in random.integers(0, size, 2))
    axes = tuple(int(v) for v in random.integers(size // 20, size // 4, 2))
    if random.random() < 0.5:
        cv2.ellipse(mask, middle, axes, float(random.uniform(0, 180)), 0, 360, 1, -1)
    else:
        end = tuple(int(v) for v in random.integers(0, size, 2))
        cv2.line(mask, middle, end, 1, int(random.integers(2, size // 8)))
    image = _replace(image, mask > 0, _draw_texture(size, random), random)
    return image, np.where(mask > 0, _BACKGROUND, labels).astype(np.uint8)


def _light(image: Pixels, random: Random) -> Pixels:
    """Uneven light, exposure, contrast, gamma and white balance; some pictures gray or toned."""
    size = image.shape[0]
    if random.random() < 0.5:
        part = _gradient(size, random).mean(axis=2, keepdims=True) / 255.0
        image = image * (1 + random.uniform(-0.6, 0.6) * (part - 0.5))
    unit = np.clip(image / 255.0, 0, 1) ** np.exp(random.normal(0, 0.25))
    unit = (unit - 0.5) * np.exp(random.normal(0, 0.18)) + 0.5 + random.normal(0, 0.05)
    unit = unit * np.exp(random.normal(0, 0.08, 3))
    if random.random() < 0.2:
        gray = unit.mean(axis=2, keepdims=True)
        tone = np.exp(random.normal(0, 0.12, 3)) if random.random() < 0.4 else np.ones(3)
        unit = gray * tone
    return np.asarray(np.clip(unit, 0, 1) * 255.0, np.float32)


def _take_photograph(image: Pixels, random: Random) -> Pixels:
    """Blur of the lens or of a small original, grain, and JPEG."""
    size = image.shape[0]
    if random.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.8))
    elif random.random() < 0.3:
        small = int(size / random.uniform(1.2, 2.5))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    elif random.random() < 0.3:
        image = image + random.uniform(0.3, 1.2) * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    if random.random() < 0.6:
        noise: Pixels = random.standard_normal(image.shape, dtype=np.float32)
        if random.random() < 0.5:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.7)) * 2
        image = image + noise * random.uniform(0, 14)
    if random.random() < 0.5:
        eight = np.clip(image, 0, 255).astype(np.uint8)
        quality = int(random.integers(25, 95))
        _, packed = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.float32)
    return np.asarray(image, np.float32)
