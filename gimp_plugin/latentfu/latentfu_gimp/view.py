"""Which part of the layer a preview shows, and how large: geometry without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Corners = Sequence[Sequence[float]]
LARGEST_SCALE = 8.0
MARGIN = 0.18
"""Shown around a face, as part of its side."""


@dataclass(frozen=True)
class Box:
    """A part of the layer in layer pixels."""

    x: float
    y: float
    width: float
    height: float


class Viewport:
    """A layer of ``width`` x ``height`` pixels in a room on the screen.

    It fits the room (the whole layer, or a part of it) until somebody zooms; from then on its
    scale and middle are kept when the room changes. ``scale``: screen pixels per layer pixel.
    """

    def __init__(self, width: int, height: int, room: tuple[int, int]) -> None:
        self._room = room
        self._fitted: Box | None = None
        self._free = False
        self._scale = 1.0
        self._middle = (0.0, 0.0)
        self.set_layer(width, height)

    def set_layer(self, width: int, height: int) -> None:
        """Another layer, shown whole."""
        self.whole = Box(0, 0, width, height)
        self.fit(None)

    def set_room(self, width: int, height: int) -> bool:
        """The room on the screen; whether it has changed."""
        if (width, height) == self._room:
            return False
        self._room = (max(1, width), max(1, height))
        if self._free:
            self._scale = max(self._scale, self._scale_of(self.whole))
        else:
            self.fit(self._fitted)
        return True

    def fit(self, part: Box | None) -> None:
        """Show a part of the layer as large as it goes, None for all of it."""
        self._fitted, self._free = part, False
        box = part or self.whole
        self._scale = self._scale_of(box)
        self._middle = (box.x + box.width / 2, box.y + box.height / 2)

    def zoom(self, factor: float, x: float, y: float) -> None:
        """Larger by ``factor``; what is at ``x``, ``y`` of the room stays there."""
        self.zoom_to(self._scale * factor, x, y)

    def zoom_to(self, scale: float, x: float | None = None, y: float | None = None) -> None:
        """So many screen pixels per layer pixel, around a place of the room or its middle."""
        place = (self._room[0] / 2 if x is None else x, self._room[1] / 2 if y is None else y)
        before = self.to_layer(*place)
        smallest = self._scale_of(self.whole)
        self._scale = min(max(scale, smallest), max(LARGEST_SCALE, smallest))
        self._free = True
        self._keep_inside()
        after = self.to_layer(*place)
        self.move(before[0] - after[0], before[1] - after[1])

    def drag(self, across: float, down: float) -> None:
        """Move what is shown with the hand, by screen pixels."""
        self._free = True
        self.move(-across / self._scale, -down / self._scale)

    def move(self, across: float, down: float) -> None:
        """Look further right and down, by layer pixels."""
        self._middle = (self._middle[0] + across, self._middle[1] + down)
        self._keep_inside()

    @property
    def scale(self) -> float:
        """Screen pixels per layer pixel."""
        return self._scale

    @property
    def shown(self) -> Box:
        """The part of the layer that is seen."""
        width = min(self.whole.width, self._room[0] / self._scale)
        height = min(self.whole.height, self._room[1] / self._scale)
        x = min(max(self._middle[0] - width / 2, 0.0), self.whole.width - width)
        y = min(max(self._middle[1] - height / 2, 0.0), self.whole.height - height)
        return Box(x, y, width, height)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the screen of what is shown."""
        shown = self.shown
        return max(1, round(shown.width * self._scale)), max(1, round(shown.height * self._scale))

    @property
    def corner(self) -> tuple[float, float]:
        """Where in the room the picture begins: it stands in the middle."""
        width, height = self.size
        return (self._room[0] - width) / 2, (self._room[1] - height) / 2

    def to_layer(self, x: float, y: float) -> tuple[float, float]:
        """The layer's pixel at a place of the room."""
        shown, (left, top) = self.shown, self.corner
        return shown.x + (x - left) / self._scale, shown.y + (y - top) / self._scale

    def _keep_inside(self) -> None:
        shown = self.shown
        self._middle = (shown.x + shown.width / 2, shown.y + shown.height / 2)

    def _scale_of(self, box: Box) -> float:
        return min(self._room[0] / box.width, self._room[1] / box.height)


def box_of_face(quad: Corners, whole: Box) -> Box | None:
    """The face with some room around it; None when that is nearly the whole layer."""
    if len(quad) != 4:
        return None
    xs, ys = [point[0] for point in quad], [point[1] for point in quad]
    margin = MARGIN * max(max(xs) - min(xs), max(ys) - min(ys))
    x0, y0 = max(0.0, min(xs) - margin), max(0.0, min(ys) - margin)
    x1 = min(whole.width, max(xs) + margin)
    y1 = min(whole.height, max(ys) + margin)
    smaller = (x1 - x0) * (y1 - y0) < 0.9 * whole.width * whole.height
    return Box(x0, y0, x1 - x0, y1 - y0) if x1 - x0 >= 8 and y1 - y0 >= 8 and smaller else None


def find_face(quads: Sequence[Corners], x: float, y: float) -> int:
    """The number, from 1 on, of the smallest of the squares at a place, 0 where there is none."""
    hit = [number for number, quad in enumerate(quads, 1) if _is_inside(quad, x, y)]
    return min(hit, key=lambda number: _area(quads[number - 1]), default=0)


def _is_inside(quad: Corners, x: float, y: float) -> bool:
    """Whether a point lies in a square whose corners run clockwise."""
    pairs = zip(quad, [*quad[1:], quad[0]], strict=True)
    return all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0 for a, b in pairs)


def _area(quad: Corners) -> float:
    across, down = quad[1], quad[3]
    (ax, ay), (bx, by) = ((p[0] - quad[0][0], p[1] - quad[0][1]) for p in (across, down))
    return abs(ax * by - ay * bx)


def square_at(x: float, y: float, half: float) -> Corners:
    """The corners of a square around a place."""
    return [
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
    ]
