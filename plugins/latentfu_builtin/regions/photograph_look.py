"""What a camera, its light and its file do to a picture, for training on renders.

Networks that learn from renders alone learn the renderer's look: its even light, its clean pixels,
nothing that hides anything. All of it works on one picture, float32 ``[S, S, 3]`` in 0..255.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]
Random = np.random.Generator


def change_light(image: Pixels, random: Random) -> Pixels:
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


def take_photograph(image: Pixels, random: Random) -> Pixels:
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


def lay_over(image: Pixels, mask: Pixels, texture: Pixels, random: Random) -> Pixels:
    """The texture in place of the image where the mask, bool ``[S, S]``, says; a soft edge."""
    return np.asarray(image + _soften(mask, random) * (texture - image))


def draw_texture(size: int, random: Random) -> Pixels:
    """Something that may lie behind a person or be woven into clothes: ``[size, size, 3]``."""
    kinds: tuple[Callable[[int, Random], Pixels], ...] = (_clouds, _gradient, _stripes, _patches)
    return kinds[int(random.integers(len(kinds)))](size, random)


def draw_hair(size: int, random: Random) -> Pixels:
    """Strands that lie about in one direction, with a sheen across them: ``[size, size, 3]``."""
    noise = random.standard_normal((size, size), dtype=np.float32)
    angle, along = random.uniform(0, np.pi), random.uniform(2.0, 9.0)
    reach = int(np.ceil(2 * along))
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    across = x * np.sin(angle) - y * np.cos(angle)
    parallel = x * np.cos(angle) + y * np.sin(angle)
    kernel = np.exp(-0.5 * ((across / random.uniform(0.4, 1.2)) ** 2 + (parallel / along) ** 2))
    strands = np.asarray(cv2.filter2D(noise, -1, kernel / kernel.sum()))
    cells = int(random.integers(2, 7))
    sheen = cv2.resize(
        random.standard_normal((cells, cells), dtype=np.float32),
        (size, size),
        interpolation=cv2.INTER_CUBIC,
    )
    light = random.uniform(0.05, 0.4) * strands / strands.std() + random.uniform(0, 0.4) * sheen
    gray = np.exp(random.uniform(np.log(12), np.log(230)))
    color = np.clip(gray * np.array([1.0, random.uniform(0.7, 1), random.uniform(0.45, 1)]), 4, 245)
    return np.asarray(np.clip(color * np.exp(light)[:, :, None], 0, 255), np.float32)


def _soften(mask: Pixels, random: Random) -> Pixels:
    """A mask with an edge like a lens draws it, ``[S, S, 1]``."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), random.uniform(0.4, 1.2))
    return np.asarray(soft[:, :, None])


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
    angle, wide = random.uniform(0, np.pi), random.uniform(3, max(4, size / 3))
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
            cv2.circle(image, a, int(random.integers(2, max(3, size // 3))), color, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 8)), np.float32)


def draw_cover(size: int, random: Random) -> Pixels:
    """Where something lies before the picture, bool ``[S, S]``: a disc or a bar."""
    mask = np.zeros((size, size), np.uint8)
    middle = tuple(int(v) for v in random.integers(0, size, 2))
    axes = tuple(int(v) for v in random.integers(size // 20, max(2, size // 4), 2))
    if random.random() < 0.5:
        cv2.ellipse(mask, middle, axes, float(random.uniform(0, 180)), 0, 360, 1, -1)
    else:
        end = tuple(int(v) for v in random.integers(0, size, 2))
        cv2.line(mask, middle, end, 1, int(random.integers(2, max(3, size // 8))))
    return np.asarray(mask > 0)
