"""The picture in a dialog: before and after, the whole layer or the part around the face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gi.repository import GdkPixbuf, GLib, Gtk

from .wire import Picture

SIDE = 460
LARGEST_SIDE = 1024
MARGIN = 0.18
CHOSEN, OTHER = 0xFFDC00FF, 0xFFFFFFB0
"""Colors of the frames, RGBA."""
THICK = 2

Quad = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Box:
    """A part of the layer in layer pixels."""

    x: float
    y: float
    width: float
    height: float


class PreviewPane:
    """Shows the layer of ``picture``.

    ``changed`` is called when a sharper preview is wanted, ``chosen`` with the number of a face
    (from 1 on) that was clicked.
    """

    def __init__(
        self,
        picture: Picture,
        changed: Callable[[], None],
        chosen: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._changed, self._chosen = changed, chosen
        self._face: Box | None = None
        self._faces: list[Quad] = []
        self._number = 1
        self._after: GdkPixbuf.Pixbuf | None = None
        self._held = False
        self._side = SIDE
        self._image = Gtk.Image()
        self.compare = Gtk.ToggleButton.new_with_mnemonic("_Before")
        self.compare.set_tooltip_text("Show the layer as it is (or hold the mouse on the picture)")
        self.zoom = Gtk.ToggleButton.new_with_mnemonic("_Zoom to face")
        self.zoom.set_sensitive(False)
        self.frames = Gtk.ToggleButton.new_with_mnemonic("_Faces")
        self.frames.set_tooltip_text("Show a frame around each face; a click in one chooses it")
        self.frames.set_sensitive(False)
        self.set_picture(picture)
        self.widget = self._build()
        self.compare.connect("toggled", lambda _button: self._show())
        self.frames.connect("toggled", lambda _button: self._show())
        self.zoom.connect("toggled", lambda _button: self._zoomed())
        self._show()

    def _build(self) -> Gtk.Widget:
        area = Gtk.EventBox()
        area.add(self._image)
        area.connect("button-press-event", self._press)
        area.connect("button-release-event", lambda *_: self._hold(False))
        area.get_accessible().set_name("Preview")
        room = Gtk.ScrolledWindow()  # So that the picture follows the window, and not it the other.
        room.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        room.set_shadow_type(Gtk.ShadowType.IN)
        room.set_size_request(SIDE + 4, SIDE + 4)
        room.add(area)
        room.connect("size-allocate", lambda _room, size: self._fill(size.width, size.height))
        buttons = Gtk.Box(spacing=6, homogeneous=True)
        for button in (self.compare, self.zoom, self.frames):
            buttons.pack_start(button, True, True, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        box.pack_start(room, True, True, 0)
        box.pack_start(buttons, False, False, 0)
        return box

    def set_picture(self, picture: Picture) -> None:
        """Show another layer, or the layer as it is now."""
        self._whole = Box(0, 0, picture.width, picture.height)
        self._before = pixbuf(picture)
        self._after = None

    @property
    def side(self) -> int:
        """The longest side that a preview needs to be sharp in what is shown."""
        whole = max(self._whole.width, self._whole.height)
        shown = max(self._shown.width, self._shown.height)
        return max(32, min(LARGEST_SIDE, round(self._side * whole / shown)))

    def show_after(self, picture: Picture) -> None:
        """Show a preview of the edited layer."""
        self._after = pixbuf(picture)
        self._show()

    def forget_after(self) -> None:
        """Show the layer as it is until the next preview."""
        self._after = None
        self._show()

    @property
    def faces(self) -> list[Quad]:
        """The corners of each face."""
        return self._faces

    def show_edit(self) -> None:
        """Leave Before: whoever moves a slider wants to see what it does."""
        self.compare.set_active(False)

    def set_faces(self, faces: Sequence[Quad], number: int) -> None:
        """Where the faces are, and which is edited; with several their frames are drawn."""
        self._faces, self._number = list(faces), number
        self.frames.set_sensitive(bool(faces))
        self.frames.set_active(len(faces) > 1)
        self._show()

    def set_quad(self, quad: Quad) -> None:
        """Where the edited face is; zooms in when it is small in the layer."""
        self._face = self._around(quad)
        self.zoom.set_sensitive(self._face is not None)
        small = self._face and self._face.width < 0.6 * self._whole.width
        if small and len(self._faces) < 2:  # Of several, one wants to see which.
            self.zoom.set_active(True)
        self._show()

    @property
    def _shown(self) -> Box:
        return self._face if self._face and self.zoom.get_active() else self._whole

    def _around(self, quad: Quad) -> Box | None:
        if len(quad) != 4:
            return None
        xs, ys = [point[0] for point in quad], [point[1] for point in quad]
        margin = MARGIN * max(max(xs) - min(xs), max(ys) - min(ys))
        x0, y0 = max(0.0, min(xs) - margin), max(0.0, min(ys) - margin)
        x1 = min(self._whole.width, max(xs) + margin)
        y1 = min(self._whole.height, max(ys) + margin)
        smaller = (x1 - x0) * (y1 - y0) < 0.9 * self._whole.width * self._whole.height
        return Box(x0, y0, x1 - x0, y1 - y0) if x1 - x0 >= 8 and y1 - y0 >= 8 and smaller else None

    def _fill(self, width: int, height: int) -> None:
        side = max(SIDE, min(width, height) - 4)
        if abs(side - self._side) > 8:
            self._side = side
            GLib.idle_add(self._zoomed)

    def _zoomed(self) -> bool:
        self._show()
        self._changed()
        return False

    def _press(self, area: Gtk.Widget, event: Any) -> bool:
        number = self._face_at(area, event.x, event.y) if self.frames.get_active() else 0
        if number and number != self._number:
            self._chosen(number)
            return True
        return self._hold(True)

    def _face_at(self, area: Gtk.Widget, x: float, y: float) -> int:
        """The number of the smallest frame at a place of the widget, 0 where there is none."""
        shown, scale = self._shown, self._side / max(self._shown.width, self._shown.height)
        room = area.get_allocation()
        left, top = (room.width - shown.width * scale) / 2, (room.height - shown.height * scale) / 2
        point = (shown.x + (x - left) / scale, shown.y + (y - top) / scale)
        hit = [n for n, quad in enumerate(self._faces, 1) if _is_inside(quad, *point)]
        return min(hit, key=lambda n: _area(self._faces[n - 1]), default=0)

    def _hold(self, held: bool) -> bool:
        self._held = held
        self._show()
        return False

    def _show(self) -> None:
        before = self.compare.get_active() or self._held
        picture = self._before if before or self._after is None else self._after
        shown = _fit(picture, self._whole, self._shown, self._side)
        if shown is not None and self.frames.get_active():
            scale = self._side / max(self._shown.width, self._shown.height)
            for number, quad in enumerate(self._faces, 1):
                color = CHOSEN if number == self._number else OTHER
                _draw_frame(shown, quad, self._shown, scale, color)
        self._image.set_from_pixbuf(shown)


def pixbuf(picture: Picture) -> GdkPixbuf.Pixbuf:
    """A pixbuf of an RGB or RGBA picture."""
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(picture.pixels),
        GdkPixbuf.Colorspace.RGB,
        picture.channels == 4,
        8,
        picture.width,
        picture.height,
        picture.width * picture.channels,
    )


def _is_inside(quad: Quad, x: float, y: float) -> bool:
    """Whether a point lies in a square whose corners run clockwise."""
    pairs = zip(quad, [*quad[1:], quad[0]], strict=True)
    return all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0 for a, b in pairs)


def _area(quad: Quad) -> float:
    across, down = quad[1], quad[3]
    (ax, ay), (bx, by) = ((p[0] - quad[0][0], p[1] - quad[0][1]) for p in (across, down))
    return abs(ax * by - ay * bx)


def _draw_frame(
    picture: GdkPixbuf.Pixbuf, quad: Quad, shown: Box, scale: float, color: int
) -> None:
    """The outline of a square, dot by dot: GIMP's Python may be without cairo."""
    points = [((x - shown.x) * scale, (y - shown.y) * scale) for x, y in quad]
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        steps = max(1, int(max(abs(bx - ax), abs(by - ay)) / THICK))
        for step in range(steps):
            x, y = ax + (bx - ax) * step / steps, ay + (by - ay) * step / steps
            inside = 0 <= x < picture.get_width() - THICK and 0 <= y < picture.get_height() - THICK
            if inside:
                picture.new_subpixbuf(int(x), int(y), THICK, THICK).fill(color)


def _fit(picture: GdkPixbuf.Pixbuf, whole: Box, shown: Box, side: int) -> GdkPixbuf.Pixbuf | None:
    """The ``shown`` part of a picture of the ``whole`` layer, with its longer side ``side``.

    None when there is no memory for it.
    """
    scale_x, scale_y = picture.get_width() / whole.width, picture.get_height() / whole.height
    x = min(int(shown.x * scale_x), picture.get_width() - 1)
    y = min(int(shown.y * scale_y), picture.get_height() - 1)
    width = max(1, min(round(shown.width * scale_x), picture.get_width() - x))
    height = max(1, min(round(shown.height * scale_y), picture.get_height() - y))
    part = picture.new_subpixbuf(x, y, width, height)
    scale = side / max(shown.width, shown.height)
    size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
    smooth = GdkPixbuf.InterpType.BILINEAR
    if part.get_has_alpha():
        return part.composite_color_simple(*size, smooth, 255, 8, 0x999999, 0x666666)
    return part.scale_simple(*size, smooth)
