"""Pixels out of GIMP and back, leaving every pixel that did not change as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gi.repository import Gegl, Gimp

from .errors import PluginError
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
    width, height = layer.get_width(), layer.get_height()
    rectangle = Gegl.Rectangle.new(0, 0, width, height)
    return _read(layer, rectangle, channels, FORMATS[channels])


def read_selection(image: Gimp.Image, layer: Gimp.Layer) -> Picture | None:
    """The selection as a mask of the layer's size, None when nothing is selected.

    Raises PluginError when the selection does not touch the layer.
    """
    if Gimp.Selection.is_empty(image):
        return None
    _, x, y = layer.get_offsets()
    width, height = layer.get_width(), layer.get_height()
    # "Y u8", not "Y' u8": mask values are linear and must not be bent by gamma.
    mask = _read(image.get_selection(), Gegl.Rectangle.new(x, y, width, height), 1, "Y u8")
    if mask.pixels.count(0) == len(mask.pixels):
        raise PluginError(
            "The selection is empty inside this layer: select something in it, or select nothing "
            "to edit all of it."
        )
    return mask


def _read(drawable: Gimp.Drawable, rectangle: Gegl.Rectangle, channels: int, form: str) -> Picture:
    data = drawable.get_buffer().get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE)
    return Picture(rectangle.width, rectangle.height, channels, bytes(data))


def write_changes(layer: Gimp.Layer, before: Picture, after: Picture) -> None:
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
    del buffer
    layer.update(0, 0, after.width, after.height)


def changed_runs(before: Picture, after: Picture) -> Iterator[Run]:
    """The stretches of pixels that differ, row by row."""
    row = after.width * after.channels
    for y in range(after.height):
        old = before.pixels[y * row : (y + 1) * row]
        new = after.pixels[y * row : (y + 1) * row]
        if old == new:
            continue
        for match in re.finditer(rb"[^\0]+", _difference(old, new, after.channels)):
            yield Run(match.start(), y, match.end() - match.start())


def _difference(old: bytes, new: bytes, channels: int) -> bytes:
    """One byte per pixel, 0 where both are equal; whole rows at once as large integers."""
    size = len(old)
    bits = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
    flags = bits.to_bytes(size, "little").translate(_CHANGED)
    total = 0
    for channel in range(channels):
        total |= int.from_bytes(flags[channel::channels], "little")
    return total.to_bytes(size // channels, "little")
