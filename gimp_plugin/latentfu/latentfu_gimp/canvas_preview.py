"""The preview in the image itself: a layer above the edited one for as long as the window is open.

GIMP's undo is held meanwhile, so that neither its history nor the image's unsaved mark knows of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gi.repository import Gegl, Gimp, Gtk

from .layers import Target
from .pixbufs import pixbuf, unpack_pixbuf
from .pixels import FORMATS
from .results import shows_through
from .translate import _
from .value_rows import list_layers
from .view import Box, Corners, box_of_face
from .wire import Picture

MARK = "latentfu/preview"
NAME = _("Preview of Latent-Fu")


class CanvasPreview:
    """A check, and the preview of ``target`` in its image while that is set.

    ``ask`` asks for a preview, which comes to :meth:`show`.
    """

    def __init__(self, target: Target, ask: Callable[[], None]) -> None:
        self._target, self._ask = target, ask
        self._layer: Gimp.Layer | None = None
        self.widget = Gtk.CheckButton.new_with_mnemonic(_("Preview on the can_vas too"))
        self.widget.connect("toggled", lambda _check: self._toggle())
        remove_leftovers(target.image)
        self.take(target)

    def take(self, target: Target) -> None:
        """The layer as it is now; the check says why nothing can be shown above it."""
        self._target = target
        hindrance = _find_hindrance(target)
        if hindrance:
            self.widget.set_active(False)
        self.widget.set_sensitive(not hindrance)
        self.widget.set_tooltip_text(
            hindrance
            or _("A layer above the edited one for as long as this window is open: undo forgets it")
        )

    def _toggle(self) -> None:
        if self.widget.get_active():
            self._ask()
        else:
            self.clear()

    def show(self, picture: Picture, quad: Corners, changed: bool) -> None:
        """Put the part of a preview around the face into the image, in place of the one before.

        Nothing is there unless ``changed``.
        """
        target = self._target
        if not changed or not self.widget.get_active() or not target.layer.is_valid():
            self.clear()
            return
        whole = Box(0, 0, target.picture.width, target.picture.height)
        small, box = _cut_face(picture, quad, whole)
        new = _make_layer(target, small)
        with _held_undo(target.image):
            self._remove()
            earlier = target.result if target.result and target.result.is_valid() else None
            above = earlier or target.layer
            position = target.image.get_item_position(above)
            target.image.insert_layer(new, above.get_parent(), position)
            new.scale(max(1, round(box.width)), max(1, round(box.height)), False)
            _found, x, y = target.layer.get_offsets()
            new.set_offsets(x + round(box.x), y + round(box.y))
        self._layer = new
        Gimp.displays_flush()

    def clear(self) -> None:
        """Take it out of the image."""
        if self._layer is None:
            return
        with _held_undo(self._target.image):
            self._remove()
        Gimp.displays_flush()

    def _remove(self) -> None:
        if self._layer is not None and self._layer.is_valid():
            self._target.image.remove_layer(self._layer)
        self._layer = None


def _find_hindrance(target: Target) -> str:
    """Why it cannot be shown there, as a sentence; empty when it can."""
    if target.image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        return _("The image has a palette: the preview's colors do not fit into it.")
    if shows_through(target):
        return _("The layer below would be seen through the preview.")
    return ""


def remove_leftovers(image: Gimp.Image) -> None:
    """Take out what a window that was killed has left in the image."""
    left = [layer for layer in list_layers(image.get_layers()) if layer.get_parasite(MARK)]
    if left:
        with _held_undo(image):
            for layer in left:
                image.remove_layer(layer)


def _make_layer(target: Target, small: Picture) -> Gimp.Layer:
    """A layer of that picture, not yet in the image."""
    gray = target.image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = Gimp.ImageType.GRAYA_IMAGE if gray else Gimp.ImageType.RGBA_IMAGE
    size = (small.width, small.height)
    layer = Gimp.Layer.new(target.image, NAME, *size, kind, 100.0, Gimp.LayerMode.NORMAL)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, *size), FORMATS[small.channels], small.pixels)
    buffer.flush()
    layer.update(0, 0, *size)
    layer.attach_parasite(Gimp.Parasite.new(MARK, Gimp.PARASITE_PERSISTENT, b"1"))
    return layer


def _cut_face(picture: Picture, quad: Corners, whole: Box) -> tuple[Picture, Box]:
    """The part of a small picture of the layer around the face, and where it is in the layer."""
    box = box_of_face(quad, whole) or whole
    across, down = picture.width / whole.width, picture.height / whole.height
    x0, y0 = int(box.x * across), int(box.y * down)
    x1 = min(picture.width, math.ceil((box.x + box.width) * across))
    y1 = min(picture.height, math.ceil((box.y + box.height) * down))
    part = unpack_pixbuf(pixbuf(picture).new_subpixbuf(x0, y0, x1 - x0, y1 - y0))
    return part, Box(x0 / across, y0 / down, part.width / across, part.height / down)


@contextmanager
def _held_undo(image: Gimp.Image) -> Iterator[None]:
    """What is done in it is in no history; the chosen layers stay chosen."""
    chosen = image.get_selected_layers()
    image.undo_freeze()
    try:
        yield
        image.set_selected_layers([layer for layer in chosen if layer.is_valid()])
    finally:
        image.undo_thaw()
