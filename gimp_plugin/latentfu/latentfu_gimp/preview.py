"""The picture in a dialog: before and after, the whole layer or the part around the face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gi.repository import GdkPixbuf, GLib, Gtk

from .wire import Picture

SIDE = 460
LARGEST_SIDE = 1024
MARGIN = 0.18


@dataclass(frozen=True)
class Box:
    """A part of the layer in layer pixels."""

    x: float
    y: float
    width: float
    height: float


class PreviewPane:
    """Shows the layer of ``picture``; ``changed`` is called when a sharper preview is wanted."""

    def __init__(self, picture: Picture, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._whole = Box(0, 0, picture.width, picture.height)
        self._face: Box | None = None
        self._before = pixbuf(picture)
        self._after: GdkPixbuf.Pixbuf | None = None
        self._held = False
        self._image = Gtk.Image()
        self.compare = Gtk.ToggleButton.new_with_mnemonic("_Before")
        self.compare.set_tooltip_text("Show the layer as it is (or hold the mouse on the picture)")
        self.zoom = Gtk.ToggleButton.new_with_mnemonic("_Zoom to face")
        self.zoom.set_sensitive(False)
        self.widget = self._build()
        self.compare.connect("toggled", lambda _button: self._show())
        self.zoom.connect("toggled", lambda _button: self._zoomed())
        self._show()

    def _build(self) -> Gtk.Widget:
        area = Gtk.EventBox()
        area.set_size_request(SIDE + 4, SIDE + 4)
        area.add(self._image)
        area.connect("button-press-event", lambda *_: self._hold(True))
        area.connect("button-release-event", lambda *_: self._hold(False))
        frame = Gtk.Frame()
        frame.set_shadow_type(Gtk.ShadowType.IN)
        frame.add(area)
        buttons = Gtk.Box(spacing=6, homogeneous=True)
        buttons.pack_start(self.compare, True, True, 0)
        buttons.pack_start(self.zoom, True, True, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        box.pack_start(frame, False, False, 0)
        box.pack_start(buttons, False, False, 0)
        return box

    @property
    def side(self) -> int:
        """The longest side that a preview needs to be sharp in what is shown."""
        whole = max(self._whole.width, self._whole.height)
        shown = max(self._shown.width, self._shown.height)
        return max(32, min(LARGEST_SIDE, round(SIDE * whole / shown)))

    def show_after(self, picture: Picture) -> None:
        """Show a preview of the edited layer."""
        self._after = pixbuf(picture)
        self._show()

    def forget_after(self) -> None:
        """Show the layer as it is until the next preview."""
        self._after = None
        self._show()

    def set_quad(self, quad: Sequence[Sequence[float]]) -> None:
        """Where the face is; zooms in when it is small in the layer."""
        self._face = self._around(quad)
        self.zoom.set_sensitive(self._face is not None)
        if self._face and self._face.width < 0.6 * self._whole.width:
            self.zoom.set_active(True)

    @property
    def _shown(self) -> Box:
        return self._face if self._face and self.zoom.get_active() else self._whole

    def _around(self, quad: Sequence[Sequence[float]]) -> Box | None:
        if len(quad) != 4:
            return None
        xs, ys = [point[0] for point in quad], [point[1] for point in quad]
        margin = MARGIN * max(max(xs) - min(xs), max(ys) - min(ys))
        x0, y0 = max(0.0, min(xs) - margin), max(0.0, min(ys) - margin)
        x1 = min(self._whole.width, max(xs) + margin)
        y1 = min(self._whole.height, max(ys) + margin)
        smaller = (x1 - x0) * (y1 - y0) < 0.9 * self._whole.width * self._whole.height
        return Box(x0, y0, x1 - x0, y1 - y0) if x1 - x0 >= 8 and y1 - y0 >= 8 and smaller else None

    def _zoomed(self) -> None:
        self._show()
        self._changed()

    def _hold(self, held: bool) -> bool:
        self._held = held
        self._show()
        return False

    def _show(self) -> None:
        before = self.compare.get_active() or self._held
        picture = self._before if before or self._after is None else self._after
        self._image.set_from_pixbuf(_fit(picture, self._whole, self._shown))


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


def _fit(picture: GdkPixbuf.Pixbuf, whole: Box, shown: Box) -> GdkPixbuf.Pixbuf | None:
    """The ``shown`` part of a picture of the ``whole`` layer, as large as the pane allows.

    None when there is no memory for it.
    """
    scale_x, scale_y = picture.get_width() / whole.width, picture.get_height() / whole.height
    x = min(int(shown.x * scale_x), picture.get_width() - 1)
    y = min(int(shown.y * scale_y), picture.get_height() - 1)
    width = max(1, min(round(shown.width * scale_x), picture.get_width() - x))
    height = max(1, min(round(shown.height * scale_y), picture.get_height() - y))
    part = picture.new_subpixbuf(x, y, width, height)
    scale = SIDE / max(shown.width, shown.height)
    size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
    smooth = GdkPixbuf.InterpType.BILINEAR
    if part.get_has_alpha():
        return part.composite_color_simple(*size, smooth, 255, 8, 0x999999, 0x666666)
    return part.scale_simple(*size, smooth)
