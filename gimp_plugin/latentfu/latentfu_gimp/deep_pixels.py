"""Adding a change to layers of more than 8 bits, or of other colors than sRGB.

The sum is made by GEGL in floating point and without limits: what is brighter than white, or
outside of sRGB, comes back as it was, with the change in it.
"""

from __future__ import annotations

import re
from typing import Any

from gi.repository import Gegl, Gimp

from .pixels import bands, differing_pixels
from .wire import NO_CHANGE, Change

_VALUES = {3: "R'G'B' float", 4: "R'G'B'A float"}
# GEGL adds linear light; the numbers of R'G'B' are passed off as such and never converted.
_AS_LINEAR = {3: "RGB float", 4: "RGBA float"}
_STEPS_FORMAT = "RGB u16"
_NOTHING = 32768
_LARGEST = 65535


def needs_change(image: Gimp.Image, layer: Gimp.Layer) -> bool:
    """Whether 8 bits of sRGB would lose something of this layer."""
    if layer.is_indexed():
        return False  # Its palette has 8 bits of sRGB.
    if image.get_precision() != Gimp.Precision.U8_NON_LINEAR:
        return True
    profile = image.get_color_profile()
    return profile is not None and not profile.is_equal(Gimp.ColorProfile.new_rgb_srgb())


def add_change(layer: Gimp.Layer, change: Change) -> None:
    """Add ``change`` to ``layer``; pixels without one are not touched."""
    channels = 4 if layer.has_alpha() else 3
    buffer = layer.get_buffer()
    box = Gegl.Rectangle.new(change.x, change.y, change.width, change.height)
    if not change.width or not change.height:
        return
    for band in bands(box):
        start = (band.y - change.y) * change.width * 6
        steps = change.values[start : start + band.width * band.height * 6]
        values = bytes(buffer.get(band, 1.0, _VALUES[channels], Gegl.AbyssPolicy.NONE))
        _write_runs(buffer, band, steps, _add(values, steps, band, channels, change.steps))
    buffer.flush()


def _write_runs(buffer: Gegl.Buffer, band: Gegl.Rectangle, steps: bytes, values: bytes) -> None:
    """Set the pixels of a band that have a change."""
    row, size = band.width * 6, len(values) // (band.width * band.height)
    nothing = NO_CHANGE * (3 * band.width)
    channels = size // 4
    for y in range(band.height):
        line = steps[y * row : (y + 1) * row]
        if line == nothing:
            continue
        for match in re.finditer(rb"[^\0]+", differing_pixels(nothing, line, 6)):
            start = (y * band.width + match.start()) * size
            part = values[start : start + len(match[0]) * size]
            place = Gegl.Rectangle.new(band.x + match.start(), band.y + y, len(match[0]), 1)
            buffer.set(place, _VALUES[channels], part)


def _add(values: bytes, steps: bytes, band: Gegl.Rectangle, channels: int, scale: int) -> bytes:
    """``values + (steps - 32768) / (255 * scale)``, pixel by pixel."""
    there = Gegl.Rectangle.new(0, 0, band.width, band.height)
    form = _AS_LINEAR[channels]
    picture = Gegl.Buffer.new(form, 0, 0, band.width, band.height)
    picture.set(there, form, values)
    change = Gegl.Buffer.new(_STEPS_FORMAT, 0, 0, band.width, band.height)
    change.set(there, _STEPS_FORMAT, steps)
    result = Gegl.Buffer.new(form, 0, 0, band.width, band.height)
    graph = Gegl.Node()
    base = make_node(graph, "gegl:buffer-source", buffer=picture)
    added = make_node(graph, "gegl:buffer-source", buffer=change)
    wider = make_node(graph, "gegl:multiply", value=_LARGEST / (255 * scale))
    signed = make_node(graph, "gegl:subtract", value=_NOTHING / (255 * scale))
    total = make_node(graph, "gegl:add")
    end = make_node(graph, "gegl:write-buffer", buffer=result)
    added.link(wider)
    wider.link(signed)
    signed.connect_to("output", total, "aux")
    base.link(total)
    total.link(end)
    end.process()
    return bytes(result.get(there, 1.0, form, Gegl.AbyssPolicy.NONE))


def make_node(graph: Gegl.Node, operation: str, **properties: Any) -> Gegl.Node:
    """A node of a GEGL graph with its properties, ``_`` for ``-`` in their names."""
    node = graph.create_child(operation)
    for name, value in properties.items():
        node.set_property(name.replace("_", "-"), value)
    return node
