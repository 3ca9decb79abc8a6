"""A layer's face with what is around it: a wider square than a network's, and its regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from latentfu.core.crop import Quad
from latentfu.core.layer import Layer
from latentfu.core.regions import RegionParser
from latentfu.pipeline.crop import Floats, cut_crop, measure_outside
from latentfu.pipeline.light import even_light
from latentfu.pipeline.pixel_math import make_disk, smoothstep, to_levels
from latentfu.pipeline.preview import resize_picture, resize_share
from latentfu.pipeline.region_map import RegionMap, RegionReader

WIDER = 1.4
"""The square is so many times as wide as that of a face: long hair ends within it."""
_LOWER = 0.03
"""Its middle lies lower by so many sides of a face's square."""
PARSED_SIDE = 256
"""Pixels of a square that is parsed."""
_LIKELY = 0.3
"""From this probability on a place counts to a part of a region."""
_SMALL_PART = 0.1
"""A part of less than this share of a region's largest is taken for a mistake."""
_LEAST_ROWS = 8
_OPPOSITE = 0.05
"""A face is mirrored if its halves are then so much more, in sides, like those of another one."""
_MOST_FITTED = (0.8, 1.25)
"""By so much a half of a face is made narrower or wider at most."""


@dataclass(frozen=True)
class SeenFace:
    """What a layer shows in a square; ``S`` pixels a side.

    Attributes:
        quad: The square, in the layer.
        picture: ``[S, S, 3]`` in levels.
        inside: ``[S, S]``: 1 where the layer is, 0 beyond its border.
        regions: The square's regions, at the parser's own side.
    """

    quad: Quad
    picture: Floats
    inside: Floats
    regions: RegionMap

    @property
    def side(self) -> int:
        """S."""
        return int(self.picture.shape[0])

    def weigh(self, names: Iterable[str]) -> Floats:
        """The probability of any of these regions: ``[S, S]`` in 0..1."""
        return np.clip(resize_share(self.regions.weigh(names), self.side), 0.0, 1.0)

    def find_whole(self, names: Iterable[str], head: Iterable[str]) -> Floats:
        """The same without small islands, and those that lie wholly below the head's middle.

        A parser takes shade below a jaw for hair; hair that belongs to a head reaches higher.
        """
        found, middle = self.regions.weigh(names), _find_middle(self.regions.weigh(head))
        kept = _drop_islands(found, middle)
        return np.clip(resize_share(kept, self.side), 0.0, 1.0) * self.inside


def see_face(
    layer: Layer, quad: Quad, side: int, parser: RegionParser, reader: RegionReader
) -> SeenFace:
    """The wider square around a face's ``quad`` at ``side`` pixels, with its regions.

    Raises PluginFailedError for a parser that fails.
    """
    wide = widen_quad(quad)
    crop = cut_crop(layer, wide, side, "", "blur")
    small = even_light(replace(crop, image=resize_picture(crop.image, PARSED_SIDE).clip(-1, 1)))
    inside = (measure_outside(layer, wide, side) == 0.0).astype(np.float32)
    return SeenFace(wide, to_levels(crop.image), inside, reader.read(parser, small.image))


def widen_quad(quad: Quad) -> Quad:
    """The wider square around a face's."""
    corners = np.asarray(quad.corners, np.float64)
    center = corners.mean(axis=0)
    middle = center + _LOWER * (corners[3] - corners[0])
    wide = middle + WIDER * (corners - center)
    a, b, c, d = ((float(x), float(y)) for x, y in wide)
    return Quad((a, b, c, d), quad.score)


def turn_alike(face: SeenFace, like: SeenFace, names: Iterable[str]) -> SeenFace:
    """``face``, mirrored if its head is turned to the other side than ``like``'s.

    Args:
        face: what is turned.
        like: what it shall be turned like.
        names: the regions of a face without hair and ears.
    """
    names = tuple(names)
    has, wants = (_find_cheeks(each.regions.weigh(names)) for each in (face, like))
    if has is None or wants is None:
        return face
    # How much wider the left half is than the right one: of a frontal face not at all.
    own, wanted = (1.0 - left - right for left, right in (has, wants))
    if abs(own + wanted) > abs(own - wanted) - _OPPOSITE:
        return face
    return _move_all(face, lambda image: np.ascontiguousarray(image[:, ::-1]))


def fit_sideways(face: SeenFace, like: SeenFace, names: Iterable[str]) -> SeenFace:
    """``face`` with each half as wide as ``like``'s, so that hair lies on the cheeks.

    Heights agree already, as squares of faces have eyes and mouth in one place.

    Args:
        face: what is fitted.
        like: what it is fitted to.
        names: the regions of a face without hair and ears.
    """
    import cv2

    names = tuple(names)
    has, wants = (_find_cheeks(each.regions.weigh(names)) for each in (face, like))
    if has is None or wants is None:
        return face
    (left, right), (wanted_left, wanted_right) = has, wants
    shares = (wanted_left - 0.5) / (left - 0.5), (wanted_right - 0.5) / (right - 0.5)
    narrow, wide = (1.0 / np.clip(each, *_MOST_FITTED) for each in shares)

    def move(image: Floats) -> Floats:  # [S, S] or [S, S, C]
        side = image.shape[0]
        across = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
        scale = narrow + (wide - narrow) * smoothstep((across + 0.15) / 0.3)
        x = np.repeat(((0.5 + across * scale) * side - 0.5)[None], side, 0).astype(np.float32)
        y = np.repeat(np.arange(side, dtype=np.float32)[:, None], side, 1)
        moved = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    return _move_all(face, move)


def _move_all(face: SeenFace, move: Callable[[Floats], Floats]) -> SeenFace:
    """``face`` with everything that it shows moved alike; ``move``: of ``[S, S]`` and more."""
    parts = np.stack([np.clip(move(part), 0.0, 1.0) for part in face.regions.parts])
    return replace(
        face,
        picture=move(face.picture),
        inside=np.clip(move(face.inside), 0.0, 1.0),
        regions=replace(face.regions, parts=parts),
    )


def move_face(face: SeenFace, across: float, down: float) -> SeenFace:
    """``face`` moved by parts of its side."""
    import cv2

    def move(image: Floats) -> Floats:
        side = image.shape[0]
        matrix = np.array([[1.0, 0.0, across * side], [0.0, 1.0, down * side]], np.float64)
        moved = cv2.warpAffine(
            image, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.float32)

    return replace(_move_all(face, move), inside=face.inside)


def find_center(shape: Floats) -> tuple[float, float]:
    """The middle of ``shape [S, S]``, x and y in parts of its side."""
    side, total = shape.shape[0], float(shape.sum()) + 1e-6
    places = (np.arange(side) + 0.5) / side
    return float(shape.sum(0) @ places) / total, float(shape.sum(1) @ places) / total


def _find_middle(head: Floats) -> float:
    """The row of a head's middle."""
    return find_center(head)[1] * int(head.shape[0])


def _drop_islands(found: Floats, middle: float) -> Floats:
    """``found [S, S]`` without parts that are small, or that begin below row ``middle``."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats((found > _LIKELY).astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    good = (areas >= _SMALL_PART * areas.max()) & (areas > 0) & (stats[:, cv2.CC_STAT_TOP] < middle)
    near = cv2.dilate(good[labels].astype(np.float32), make_disk(0.02, found.shape[0]))
    return np.asarray(found * near, np.float32)


def _find_cheeks(face: Floats) -> tuple[float, float] | None:
    """Where ``face [S, S]`` ends left and right of its middle, in parts of the side."""
    side = face.shape[0]
    rows = np.flatnonzero((face > 0.5).any(axis=1))
    if len(rows) < _LEAST_ROWS:
        return None
    top, bottom = np.quantile(rows, (0.4, 0.75)).astype(int)
    ends = [np.flatnonzero(row > 0.5)[[0, -1]] for row in face[top:bottom] if (row > 0.5).any()]
    if len(ends) < _LEAST_ROWS // 2:
        return None
    first, last = np.median(np.asarray(ends), axis=0)
    left, right = float(first) / side, float(last + 1.0) / side
    return (left, right) if left < 0.45 and right > 0.55 else None
