"""Pixels out of GIMP and back, leaving every pixel that did not change as it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gi.repository import Gegl, Gimp

from .errors import PluginError
from .translate import _
from .wire import Picture

FORMATS = {3: "R'G'B' u8", 4: "R'G'B'A u8"}
_CHANGED = bytes([0]) + bytes([255]) * 255


@dataclass(frozen=True)
class Run:
    """``width`` neighboring pixels of row ``y`` from ``x`` on."""

    x: int
    y: int
    width: int


def read_layer(layer: Gimp.Layer) -> Picture:
    """The layer's own pixels in sRGB, 8 bits, with straight alpha where it has alpha."""
    channels = 4 if layer.has_alpha() else 3
    return _read(layer, whole(layer), channels, FORMATS[channels])


def read_selection(image: Gimp.Image, layer: Gimp.Layer) -> Picture | None:
    """The selection as a mask of the layer's size, None when nothing is selected.

    Raises PluginError when the selection does not touch the layer.
    """
    if Gimp.Selection.is_empty(image):
        return None
    _found, x, y = layer.get_offsets()
    width, height = layer.get_width(), layer.get_height()
    # "Y u8", not "Y' u8": mask values are linear and must not be bent by gamma.
    mask = _read(image.get_selection(), Gegl.Rectangle.new(x, y, width, height), 1, "Y u8")
    if mask.pixels.count(0) == len(mask.pixels):
        raise PluginError(
            _(
                "The selection is empty inside this layer: select something in it, or select "
                "nothing to edit all of it."
            )
        )
    return mask


def _read(drawable: Gimp.Drawable, rectangle: Gegl.Rectangle, channels: int, form: str) -> Picture:
    data = drawable.get_buffer().get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE)
    return Picture(rectangle.width, rectangle.height, channels, bytes(data))


def whole(layer: Gimp.Drawable) -> Gegl.Rectangle:
    """All of the layer."""
    return Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())


def glance(image: Gimp.Image, layer: Gimp.Layer) -> str:
    """Changes whenever the layer or the selection visibly does; quick, from a small picture."""
    size = (layer.get_width(), layer.get_height())
    scale = min(1.0, _GLANCE / max(*size))
    small = Gegl.Rectangle.new(0, 0, *(max(1, int(side * scale)) for side in size))
    total = hashlib.sha256(repr((size, layer.get_offsets())).encode())
    for drawable, form in ((layer, FORMATS[4]), (image.get_selection(), "Y u8")):
        data = drawable.get_buffer().get(small, scale, form, Gegl.AbyssPolicy.NONE)
        total.update(bytes(data))
    return total.hexdigest()


_GLANCE = 512


def copy_pixels(source: Gimp.Drawable, target: Gimp.Drawable) -> None:
    """All pixels of a layer of the same size; exact where both are of one format."""
    buffer, other = source.get_buffer(), target.get_buffer()
    buffer.copy(whole(source), Gegl.AbyssPolicy.NONE, other, whole(target))
    other.flush()


def hash_pixels(layer: Gimp.Drawable) -> str:
    """The sha256 of the pixels in the layer's own format."""
    total = hashlib.sha256(f"{layer.get_width()} {layer.get_height()} ".encode())
    for band in bands(whole(layer)):
        data = layer.get_buffer().get(band, 1.0, None, Gegl.AbyssPolicy.NONE)
        total.update(bytes(data))
    return total.hexdigest()


def bands(rectangle: Gegl.Rectangle) -> Iterator[Gegl.Rectangle]:
    """A rectangle in bands that memory has room for several times."""
    rows = max(1, _BAND // max(rectangle.width, 1))
    for y in range(rectangle.y, rectangle.y + rectangle.height, rows):
        height = min(rows, rectangle.y + rectangle.height - y)
        yield Gegl.Rectangle.new(rectangle.x, y, rectangle.width, height)


_BAND = 1 << 22
"""Pixels of a band."""


def keep_painting(painted: Gimp.Drawable, unpainted: Gimp.Drawable, target: Gimp.Drawable) -> None:
    """Take over into ``target`` what of ``painted`` is not as in ``unpainted``: all of one size."""
    buffer, other = painted.get_buffer(), target.get_buffer()
    before = unpainted.get_buffer()
    for band in bands(whole(painted)):
        new = bytes(buffer.get(band, 1.0, None, Gegl.AbyssPolicy.NONE))
        old = bytes(before.get(band, 1.0, None, Gegl.AbyssPolicy.NONE))
        if len(new) != len(old):
            raise PluginError(_("The layer's format has changed: undo, or make a new layer."))
        step = len(new) // (band.width * band.height)
        for run in _differing_runs(old, new, band.width, step):
            place = Gegl.Rectangle.new(run.x, band.y + run.y, run.width, 1)
            buffer.copy(place, Gegl.AbyssPolicy.NONE, other, place)
    other.flush()


def write_difference(layer: Gimp.Layer, before: Picture, after: Picture) -> None:
    """Set those pixels of ``layer`` in which ``after`` differs from ``before``.

    The others keep their value in the layer's own precision, color profile and palette, which a
    way through 8 bits of sRGB and back would not.
    """
    step = after.channels
    buffer = layer.get_buffer()
    for run in changed_runs(before, after):
        start = (run.y * after.width + run.x) * step
        part = after.pixels[start : start + run.width * step]
        rectangle = Gegl.Rectangle.new(run.x, run.y, run.width, 1)
        buffer.set(rectangle, FORMATS[step], part)
    buffer.flush()


def changed_runs(before: Picture, after: Picture) -> Iterator[Run]:
    """The stretches of pixels that differ, row by row."""
    return _differing_runs(before.pixels, after.pixels, after.width, after.channels)


def _differing_runs(before: bytes, after: bytes, width: int, step: int) -> Iterator[Run]:
    """The same of pixels of ``step`` bytes."""
    row = width * step
    for y in range(len(after) // row):
        old, new = before[y * row : (y + 1) * row], after[y * row : (y + 1) * row]
        if old == new:
            continue
        for match in re.finditer(rb"[^\0]+", differing_pixels(old, new, step)):
            yield Run(match.start(), y, match.end() - match.start())


def differing_pixels(old: bytes, new: bytes, step: int) -> bytes:
    """One byte per pixel of ``step`` bytes, 0 where both are equal; as large integers."""
    size = len(old)
    bits = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
    flags = bits.to_bytes(size, "little").translate(_CHANGED)
    total = 0
    for part in range(step):
        total |= int.from_bytes(flags[part::step], "little")
    return total.to_bytes(size // step, "little")
