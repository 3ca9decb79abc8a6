"""The picture in a dialog: before and after, side by side or in turn, at any size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gi.repository import Gdk, GdkPixbuf, GLib, Gtk

from .pixbufs import draw_frame, draw_line, draw_over, make_shade, pixbuf, show_part
from .translate import _
from .view import Corners, Viewport, box_of_face, find_face, square_at
from .wire import Picture

SIDE = 460
LARGEST_SIDE = 2048
"""Of what is asked for; the server's limit."""
CHOSEN, OTHER, LINE = 0xFFDC00FF, 0xFFFFFFB0, 0xFFFFFFFF
"""Colors of the frames and of the line between before and after, RGBA."""
NOTCH = 1.25
"""How much larger a notch of the wheel makes the picture."""
MARK = 6
"""Half the side of the square around a place, in screen pixels."""
STILL = 4
"""Screen pixels that a pressed mouse may move and not yet drag."""


class PreviewPane:
    """Shows the layer of ``picture``; the wheel zooms, a pressed mouse compares or drags.

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
        self._faces: list[Corners] = []
        self._number = 1
        self._face_quad: Corners = []
        self._after: GdkPixbuf.Pixbuf | None = None
        self._pressed: tuple[float, float] | None = None
        self._held = self._dragged = False
        self._took: Callable[[float, float], None] | None = None
        self._let_go: Callable[[], None] = lambda: None
        self._shade: GdkPixbuf.Pixbuf | None = None
        self._marks: dict[str, tuple[float, float]] = {}
        self._cut = 0.5
        self._image = Gtk.Image()
        self._make_buttons()
        self._view = Viewport(picture.width, picture.height, (SIDE, SIDE))
        self._before = pixbuf(picture)
        self.widget = self._build()
        self._show()

    def _make_buttons(self) -> None:
        self.compare = Gtk.ToggleButton.new_with_mnemonic(_("_Before"))
        self.compare.set_tooltip_text(
            _("Show the layer as it is (or hold the mouse on the picture)")
        )
        self.split = Gtk.ToggleButton.new_with_mnemonic(_("_Split"))
        self.split.set_tooltip_text(_("Before at the left, after at the right: drag the line"))
        self.whole = Gtk.Button.new_with_mnemonic(_("F_it"))
        self.whole.set_tooltip_text(_("Show the whole layer (0); the wheel zooms"))
        self.pixels = Gtk.Button.new_with_mnemonic("_1:1")
        self.pixels.set_tooltip_text(_("One pixel of the layer is one of the screen (1)"))
        self.zoom = Gtk.Button.new_with_mnemonic(_("_Zoom to face"))
        self.zoom.set_sensitive(False)
        self.frames = Gtk.ToggleButton.new_with_mnemonic(_("_Faces"))
        self.frames.set_tooltip_text(_("Show a frame around each face; a click in one chooses it"))
        self.frames.set_sensitive(False)
        for button in (self.compare, self.split, self.frames):
            button.connect("toggled", lambda _button: self._show())
        self.whole.connect("clicked", lambda _button: self.show_whole())
        self.pixels.connect("clicked", lambda _button: self.show_pixels())
        self.zoom.connect("clicked", lambda _button: self._show_face())

    def _build(self) -> Gtk.Widget:
        area = Gtk.EventBox()
        area.add(self._image)
        area.add_events(Gdk.EventMask.SCROLL_MASK | Gdk.EventMask.POINTER_MOTION_MASK)
        area.connect("button-press-event", self._press)
        area.connect("button-release-event", lambda *_: self._release())
        area.connect("motion-notify-event", self._move)
        area.connect("scroll-event", self._scroll)
        area.get_accessible().set_name(_("Preview"))
        room = Gtk.ScrolledWindow()  # So that the picture follows the window, and not it the other.
        room.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        room.set_shadow_type(Gtk.ShadowType.IN)
        room.set_size_request(SIDE + 4, SIDE + 4)
        room.add(area)
        room.connect("size-allocate", lambda _room, size: self._fill(size.width, size.height))
        buttons = Gtk.Box(spacing=6)
        for button in (
            self.compare, self.split, self.whole, self.pixels, self.zoom, self.frames,
        ):  # fmt: skip
            buttons.pack_start(button, True, True, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        box.pack_start(room, True, True, 0)
        box.pack_start(buttons, False, False, 0)
        return box

    def set_picture(self, picture: Picture) -> None:
        """Show another layer, or the layer as it is now."""
        self._view.set_layer(picture.width, picture.height)
        self._before = pixbuf(picture)
        self._after = None

    @property
    def side(self) -> int:
        """The longest side that a preview needs to be sharp in what is shown."""
        longest = max(self._view.whole.width, self._view.whole.height)
        return max(32, min(LARGEST_SIDE, int(longest), round(self._view.scale * longest)))

    def show_after(self, picture: Picture | GdkPixbuf.Pixbuf) -> None:
        """Show a preview of the edited layer, of any size."""
        self._after = pixbuf(picture) if isinstance(picture, Picture) else picture
        self._show()

    def forget_after(self) -> None:
        """Show the layer as it is until the next preview."""
        self._after = None
        self._show()

    def light_area(self, mask: Picture | None) -> None:
        """Darken what lies outside of a mask of the layer, of any size; None: nothing."""
        self._shade = make_shade(mask) if mask else None
        self._show()

    @property
    def faces(self) -> list[Corners]:
        """The corners of each face."""
        return self._faces

    @property
    def chosen_face(self) -> Corners:
        """The corners of the face that is edited; none while none is known."""
        return self._face_quad or (self._faces[self._number - 1] if self._faces else [])

    def show_edit(self) -> None:
        """Leave Before: whoever moves a slider wants to see what it does."""
        self.compare.set_active(False)

    def set_faces(self, faces: Sequence[Corners], number: int) -> None:
        """Where the faces are, and which is edited; with several their frames are drawn."""
        self._faces, self._number = list(faces), number
        self.frames.set_sensitive(bool(faces))
        self.frames.set_active(len(faces) > 1)
        self._show()

    def set_quad(self, quad: Corners) -> None:
        """Where the edited face is; zooms in when it is small in the layer."""
        known, self._face_quad = self._face_quad, quad
        face = box_of_face(quad, self._view.whole)
        self.zoom.set_sensitive(face is not None)
        small = face and face.width < 0.6 * self._view.whole.width
        if small and len(self._faces) < 2 and known != quad:  # Of several, one wants to see which.
            self._view.fit(face)
        self._show()

    @property
    def layer_size(self) -> tuple[int, int]:
        """Width and height of the layer."""
        return int(self._view.whole.width), int(self._view.whole.height)

    def pick_place(self, took: Callable[[float, float], None], let_go: Callable[[], None]) -> None:
        """The next press tells ``took`` a place of the layer, and so does dragging until it ends.

        Then ``let_go`` is called; it is also called when something else is to be picked.
        """
        self.stop_picking()
        self._took, self._let_go = took, let_go

    def stop_picking(self) -> None:
        """Presses compare and drag again."""
        let_go, self._took, self._let_go = self._let_go, None, lambda: None
        let_go()

    def mark_place(self, name: str, place: tuple[float, float] | None) -> None:
        """Draw a small square around a place of the layer; None: no longer."""
        if place is None:
            self._marks.pop(name, None)
        else:
            self._marks[name] = place
        self._show()

    def _take_place(self, x: float, y: float) -> None:
        place = zip(self._view.to_layer(x, y), self.layer_size, strict=True)
        inside = [min(max(part, 0.0), side - 1.0) for part, side in place]
        if self._took:
            self._took(inside[0], inside[1])

    def show_whole(self) -> None:
        """All of the layer."""
        self._view.fit(None)
        self._zoomed()

    def show_pixels(self) -> None:
        """One pixel of the layer on one of the screen, around the face."""
        face = box_of_face(self._face_quad, self._view.whole)
        if face:
            self._view.fit(face)
        self._view.zoom_to(1.0)
        self._zoomed()

    def _show_face(self) -> None:
        self._view.fit(box_of_face(self._face_quad, self._view.whole))
        self._zoomed()

    def _fill(self, width: int, height: int) -> None:
        if self._view.set_room(width - 4, height - 4):
            GLib.idle_add(self._zoomed)

    def _zoomed(self) -> bool:
        self._show()
        self._changed()
        return False

    def _scroll(self, _area: Gtk.Widget, event: Any) -> bool:
        up = {Gdk.ScrollDirection.UP: True, Gdk.ScrollDirection.DOWN: False}.get(event.direction)
        if up is not None:
            self._view.zoom(NOTCH if up else 1 / NOTCH, event.x, event.y)
            self._zoomed()
        return True

    def _press(self, _area: Gtk.Widget, event: Any) -> bool:
        if self._took:
            self._pressed = (event.x, event.y)
            self._take_place(event.x, event.y)
            return True
        place = self._view.to_layer(event.x, event.y)
        number = find_face(self._faces, *place) if self.frames.get_active() else 0
        if number and number != self._number:
            self._chosen(number)
            return True
        self._pressed, self._dragged = (event.x, event.y), False
        if self.split.get_active():
            self._cut_at(event.x)
        else:
            self._held = True
            self._show()
        return False

    def _move(self, _area: Gtk.Widget, event: Any) -> bool:
        if self._pressed is None:
            return False
        if self._took:
            self._take_place(event.x, event.y)
            return True
        across, down = event.x - self._pressed[0], event.y - self._pressed[1]
        if self.split.get_active():
            self._cut_at(event.x)
        elif self._dragged or max(abs(across), abs(down)) > STILL:
            self._dragged, self._held = True, False
            self._view.drag(across, down)
            self._pressed = (event.x, event.y)
            self._show()
        return True

    def _release(self) -> bool:
        if self._took and self._pressed:
            self.stop_picking()
        self._pressed, self._held = None, False
        self._show()
        return False

    def _cut_at(self, x: float) -> None:
        width = self._view.size[0]
        self._cut = min(max((x - self._view.corner[0]) / width, 0.0), 1.0)
        self._show()

    def _show(self) -> None:
        before = self.compare.get_active() or self._held
        picture = self._before if before or self._after is None else self._after
        shown = show_part(picture, self._view)
        if shown is not None and self.split.get_active() and not before:
            self._show_both(shown)
        if shown is not None and self._shade is not None:
            draw_over(shown, self._shade, self._view)
        if shown is not None and self.frames.get_active():
            for number, quad in enumerate(self._faces, 1):
                color = CHOSEN if number == self._number else OTHER
                draw_frame(shown, quad, self._view, color)
        if shown is not None:
            for x, y in self._marks.values():
                draw_frame(shown, square_at(x, y, MARK / self._view.scale), self._view, CHOSEN)
        self._image.set_from_pixbuf(shown)

    def _show_both(self, shown: GdkPixbuf.Pixbuf) -> None:
        """The layer as it is over the left part of the edited one, and a line between."""
        width = round(self._cut * shown.get_width())
        before = show_part(self._before, self._view)
        if before is not None and width:
            before.copy_area(0, 0, width, before.get_height(), shown, 0, 0)
        draw_line(shown, width, LINE)
