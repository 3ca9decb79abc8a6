"""Which square of a layer is worked on: the aligner's best, another one, or a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentfu.core.crop import Crop, Point, Quad
from latentfu.core.errors import BadInputError, NothingFoundError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.cache import LRUCache
from latentfu.pipeline.crop import (
    SMALLEST_SIDE,
    check_layer_pixels,
    check_quad,
    cut_crop,
    cut_mask,
    quad_area,
    show_on_gray,
)
from latentfu.pipeline.light import even_light
from latentfu.pipeline.plugin_calls import find_with, place_with
from latentfu.plugin_objects import Aligner

Corners = tuple[Point, Point, Point, Point]
MANUAL = "manual"


@dataclass(frozen=True)
class Placement:
    """What a person says about the place, in layer pixels; nothing is the aligner's best.

    ``face``: which of those that the aligner finds, 1 the best (for faces the largest).
    ``corners``: of the crop, top left first, then clockwise as the crop shows them. ``eyes``
    (left in the picture first) and ``mouth`` (its middle): three points instead of a detector.
    """

    face: int | None = None
    corners: Corners | None = None
    eyes: tuple[Point, Point] | None = None
    mouth: Point | None = None

    @property
    def by_hand(self) -> bool:
        """Whether no detector is needed."""
        return self.corners is not None or self.eyes is not None


def _place_quad(placement: Placement, aligner: Aligner) -> Quad:
    """The square that corners or points say; raises BadInputError when they say none."""
    if placement.corners is not None:
        quad = Quad(placement.corners)
        if quad_area(np.asarray(quad.corners)) <= 0:
            raise BadInputError(
                "The corners run the wrong way round: give top left, top right, bottom right, "
                "bottom left."
            )
    else:
        assert placement.eyes is not None and placement.mouth is not None
        _check_points(placement.eyes, placement.mouth)
        if aligner.place is None:
            quad = face_quad(placement.eyes, placement.mouth)
        else:
            quad = place_with(aligner, placement.eyes, placement.mouth)
    check_quad(quad)
    return quad


def _check_overlap(quad: Quad, layer: Layer, which: str) -> None:
    """Refuse a square that holds nothing of the layer (raises BadInputError)."""
    import cv2

    width, height = layer.width, layer.height
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    square = cv2.convexHull(np.asarray(quad.corners, dtype=np.float32))
    shared, _ = cv2.intersectConvexConvex(frame, square)
    if shared < SMALLEST_SIDE**2 / 2:
        raise BadInputError(
            f"{which} holds nothing of the picture, which is {width} x {height} "
            f"pixels: give corners, or eyes and mouth, that lie in it."
        )


def pick_quad(
    quads: Sequence[Quad], placement: Placement, mask: MaskPixels | None, aligner: Aligner
) -> Quad:
    """The one of ``quads`` that is meant: by number, under the selection, or the first.

    Raises BadInputError when there is none of that number, or none at all.
    """
    if not quads:
        raise NothingFoundError(
            f"The aligner {aligner.name} found nothing to edit in this layer: choose a layer "
            f"that shows it larger and upright, or another aligner, or give corners or eyes and "
            f"mouth by hand."
        )
    if placement.face is not None and placement.face > len(quads):
        found = "only one" if len(quads) == 1 else f"{len(quads)}"
        raise BadInputError(
            f"There is no face {placement.face}: the aligner {aligner.name} found {found} here."
        )
    quad = quads[pick_number(quads, placement, mask) - 1]
    check_quad(quad)
    return quad


def pick_number(quads: Sequence[Quad], placement: Placement, mask: MaskPixels | None) -> int:
    """Which of several ``quads`` is meant, from 1 on."""
    if placement.face is not None:
        return placement.face
    if mask is None or len(quads) < 2:
        return 1
    covered = [_measure_coverage(mask, quad) for quad in quads]
    return covered.index(max(covered)) + 1


def _measure_coverage(mask: MaskPixels, quad: Quad) -> float:
    """How much of the quad's middle is selected, 0..1."""
    return float(cut_mask(mask, quad, 16)[4:12, 4:12].mean())


def _check_points(eyes: tuple[Point, Point], mouth: Point) -> None:
    """Refuse points that are no face (raises BadInputError)."""
    left, right, below = (np.asarray(point, dtype=np.float64) for point in (*eyes, mouth))
    if not np.isfinite([*left, *right, *below]).all():
        raise BadInputError("The eyes and the mouth must be finite numbers.")
    across, down = right - left, below - (left + right) / 2
    if across[0] * down[1] - across[1] * down[0] <= 0:
        raise BadInputError(
            "The mouth must lie below the eyes, and the first eye left of the second in the "
            "picture (turn the layer upright, or name the points in that order)."
        )


def face_quad(eyes: tuple[Point, Point], mouth: Point) -> Quad:
    """The square of the FFHQ data set around a face (Karras et al. 2019, arXiv 1812.04948).

    Upright in the face's own frame; its half side is the larger of twice the distance of the
    eyes and 1.8 times that from eyes to mouth; its center lies a tenth of the way to the mouth.

    Args:
        eyes: (x, y) of the left and the right eye as the picture shows them, in layer pixels.
        mouth: (x, y) of its middle, in layer pixels.

    Returns:
        The square; its corners may lie outside the layer.
    """
    left, right, below = (np.asarray(point, dtype=np.float64) for point in (*eyes, mouth))
    middle = (left + right) / 2
    across, down = right - left, below - middle
    axis = across + np.array([down[1], -down[0]])  # the mouth's direction turned a quarter back
    half = max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down))
    x = axis / np.hypot(*axis) * half
    y = np.array([-x[1], x[0]])
    center = middle + 0.1 * down
    corners = (center - x - y, center + x - y, center + x + y, center - x + y)
    a, b, c, d = ((float(point[0]), float(point[1])) for point in corners)
    return Quad((a, b, c, d))


def find_quads(layer: Layer, aligner: Aligner) -> list[Quad]:
    """What the aligner finds, transparent pixels seen as gray; empty where it finds nothing."""
    pixels = np.ascontiguousarray(show_on_gray(layer).round().astype(np.uint8))
    return find_with(aligner, pixels)


def find_all_quads(layer: Layer, aligner: Aligner) -> list[Quad]:
    """Every square that the aligner finds, the best first.

    Raises BadInputError when there is none, or the layer is too small.
    """
    check_layer_pixels(layer)
    quads = find_quads(layer, aligner)
    pick_quad(quads, Placement(), None, aligner)
    return quads


_AROUND = 0.6
"""How far around the selection is looked, in parts of its longer side."""


_Box = tuple[int, int, int, int]
"""First and last column, first and last row."""


def _missed_selection(aligner: Aligner, quads: list[Quad], mask: MaskPixels) -> _Box | None:
    """The box of a selection whose middle lies in none of ``quads``; None where it lies in one.

    An aligner that looks for one thing in a picture misses the second: a selection shows it. One
    without a domain looks for nothing, and is not asked again.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not aligner.domains or not len(rows):
        return None
    x0, x1, y0, y1 = (int(each) for each in (columns[0], columns[-1], rows[0], rows[-1]))
    if any(_holds(quad, ((x0 + x1) / 2, (y0 + y1) / 2)) for quad in quads):
        return None
    return x0, x1, y0, y1


def _find_quads_in_box(layer: Layer, aligner: Aligner, box: _Box) -> list[Quad]:
    """What the aligner finds around a selection, with its middle in the selection's box."""
    x0, x1, y0, y1 = box
    reach = int(_AROUND * max(y1 - y0, x1 - x0)) + 1
    top, left = max(y0 - reach, 0), max(x0 - reach, 0)
    part = Layer(layer.pixels[top : y1 + 1 + reach, left : x1 + 1 + reach])
    found = []
    for quad in find_quads(part, aligner):
        a, b, c, d = ((x + left, y + top) for x, y in quad.corners)
        found.append(Quad((a, b, c, d), quad.score))
    return [
        quad
        for quad in found
        if quad.side >= SMALLEST_SIDE and x0 <= quad.center[0] <= x1 and y0 <= quad.center[1] <= y1
    ]


def _holds(quad: Quad, point: Point) -> bool:
    """Whether a point lies in a square."""
    import cv2

    corners = np.asarray(quad.corners, dtype=np.float32)
    return bool(cv2.pointPolygonTest(corners, point, measureDist=False) >= 0)


class Cropper:
    """Finds the square to work on and cuts it out; keeps the newest answers."""

    def __init__(self, size: int = 8) -> None:
        self._quads: LRUCache[list[Quad]] = LRUCache(size)
        self._crops: LRUCache[Crop] = LRUCache(size)

    def crop(
        self,
        layer: Layer,
        aligner: Aligner,
        resolution: int,
        placement: Placement,
        mask: MaskPixels | None = None,
    ) -> Crop:
        """The crop of ``layer`` where ``placement`` says, else where ``aligner`` finds it.

        ``mask``: of several faces the selected one. Raises BadInputError.
        """
        check_layer_pixels(layer)
        digest = layer.digest()
        if placement.by_hand:
            quad, name = _place_quad(placement, aligner), MANUAL
            _check_overlap(quad, layer, "The square given by hand")
        else:
            quads = self._find(layer, digest, aligner, mask)
            quad, name = pick_quad(quads, placement, mask, aligner), aligner.name
            _check_overlap(quad, layer, f"The square that the aligner {name} found")

        def make() -> Crop:
            return even_light(cut_crop(layer, quad, resolution, name, aligner.padding))

        return self._crops.get_or_make((digest, quad, name, resolution, aligner.padding), make)

    def find(self, layer: Layer, aligner: Aligner, mask: MaskPixels | None = None) -> list[Quad]:
        """All squares in ``layer``, the best first; of a selection beside them, its own too."""
        return self._find(layer, layer.digest(), aligner, mask)

    def _find(
        self, layer: Layer, digest: str, aligner: Aligner, mask: MaskPixels | None
    ) -> list[Quad]:
        key = (digest, aligner.name)
        quads = self._quads.get_or_make(key, lambda: find_quads(layer, aligner))
        box = None if mask is None else _missed_selection(aligner, quads, mask)
        if box is None:
            return quads
        own = self._quads.get_or_make((*key, box), lambda: _find_quads_in_box(layer, aligner, box))
        return [*quads, *own]
