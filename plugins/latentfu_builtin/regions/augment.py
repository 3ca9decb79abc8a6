"""Changes to rendered people that photographs need: the parser must not learn the renderer's look.

All of it works on one picture, uint8 ``[S, S, 3]``, and its map of regions, uint8 ``[S, S]``.
"""

from __future__ import annotations

import cv2
import numpy as np

from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.regions.photograph_look import (
    Pixels,
    Random,
    change_light,
    draw_cover,
    draw_hair,
    draw_texture,
    lay_over,
    take_photograph,
)

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
        image = lay_over(image, labels == _BACKGROUND, draw_texture(size, random), random)
    for region in (_CLOTHES, _HAT):
        if random.random() < 0.5:
            image = _paint_over(image, labels == region, draw_texture(size, random), random)
    image = _change_hair(image, labels == _HAIR, random)
    if random.random() < 0.25:
        image, labels = _cover_some(image, labels, random)
    image = change_light(image, random)
    image = take_photograph(image, random)
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


def _paint_over(image: Pixels, mask: Pixels, texture: Pixels, random: Random) -> Pixels:
    """A new color and pattern under the light that is there."""
    if not mask.any():
        return image
    gray = image.mean(axis=2, keepdims=True)
    light = gray / max(float(gray[mask].mean()), 20.0)
    return lay_over(image, mask, np.clip(texture * light, 0, 255), random)


def _change_hair(image: Pixels, mask: Pixels, random: Random) -> Pixels:
    """Another color, other strands, something that hardly looks like hair, or no sharp strand.

    Hats get other patterns too: were hair left as it is rendered, whatever else lies on a head
    would be taken for a hat, the hair of photographs as well.
    """
    if not mask.any():
        return image
    kind = random.random()
    if kind < 0.3:
        image = _tint(image, mask, random)
    elif kind < 0.6:
        image = _paint_over(image, mask, draw_hair(image.shape[0], random), random)
    elif kind < 0.72:
        image = _paint_over(image, mask, draw_texture(image.shape[0], random), random)
    if random.random() < 0.3:
        soft = cv2.GaussianBlur(image, (0, 0), random.uniform(0.8, 3.0))
        image = lay_over(image, mask, soft, random)
    return image


def _tint(image: Pixels, mask: Pixels, random: Random) -> Pixels:
    """Another color and contrast of hair."""
    mean = image[mask].mean(axis=0)
    other = (image - mean) * random.uniform(0.6, 1.8) + np.clip(
        mean + random.normal(0, 40) + random.normal(0, 15, 3), 8, 235
    )
    return lay_over(image, mask, other, random)


def _cover_some(image: Pixels, labels: Pixels, random: Random) -> tuple[Pixels, Pixels]:
    """Something before the person: it is no region of theirs."""
    size = image.shape[0]
    cover = draw_cover(size, random)
    image = lay_over(image, cover, draw_texture(size, random), random)
    return image, np.where(cover, _BACKGROUND, labels).astype(np.uint8)
