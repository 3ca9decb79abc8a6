"""Selections as masks: kept as text on a layer, and scaled when their layer was."""

from __future__ import annotations

import base64
import re
import zlib

from .wire import Picture

LARGEST_MASK = 256 * 1024
LOST = "lost"


def pack_mask(mask: Picture | None) -> str:
    """The selection as text, "lost" when it is too large to keep."""
    if mask is None:
        return ""
    packed = base64.b64encode(zlib.compress(mask.pixels, 6)).decode("ascii")
    return packed if len(packed) <= LARGEST_MASK else LOST


def unpack_mask(text: str, width: int, height: int) -> Picture | None:
    """The selection again; None when there is none or it is not of that size."""
    if text in ("", LOST):
        return None
    try:
        # The bound keeps a doctored file from filling the memory.
        unpacker = zlib.decompressobj()
        pixels = unpacker.decompress(base64.b64decode(text, validate=True), width * height + 1)
        return Picture(width, height, 1, pixels)
    except (ValueError, zlib.error):
        return None


def scale_mask(mask: Picture, width: int, height: int) -> Picture | None:
    """The mask at another size, smooth; None when there is no memory for it."""
    if (mask.width, mask.height) == (width, height):
        return mask
    from gi.repository import GdkPixbuf, GLib  # the rest of this module needs no GIMP

    gray = bytearray(3 * len(mask.pixels))
    for channel in range(3):
        gray[channel::3] = mask.pixels
    whole = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(gray)),
        GdkPixbuf.Colorspace.RGB,
        False,
        8,
        mask.width,
        mask.height,
        3 * mask.width,
    )
    scaled = whole.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
    if scaled is None:
        return None
    data, stride = scaled.get_pixels(), scaled.get_rowstride()
    rows = (data[y * stride : y * stride + 3 * width : 3] for y in range(height))
    return Picture(width, height, 1, b"".join(rows))


def flip_mask(mask: Picture, across: bool, down: bool) -> Picture:
    """The mask mirrored left to right, upside down, or both."""
    rows = [
        mask.pixels[y * mask.width : (y + 1) * mask.width][:: -1 if across else 1]
        for y in range(mask.height)
    ]
    return Picture(mask.width, mask.height, 1, b"".join(rows[:: -1 if down else 1]))


def flip_picture(picture: Picture, across: bool, down: bool) -> Picture:
    """A picture mirrored in the same way."""
    row = picture.width * picture.channels
    rows = [picture.pixels[y * row : (y + 1) * row] for y in range(picture.height)]
    if across:
        rows = [_mirror(row, picture.channels) for row in rows]
    return Picture(
        picture.width, picture.height, picture.channels, b"".join(rows[:: -1 if down else 1])
    )


def _mirror(row: bytes, channels: int) -> bytes:
    mirrored = bytearray(len(row))
    for channel in range(channels):
        mirrored[channel::channels] = row[channel::channels][::-1]
    return bytes(mirrored)


def square_around(mask: Picture) -> list[list[float]]:
    """The corners of the square around what is selected, for a face no detector finds."""
    rows = [y for y in range(mask.height) if _has_any(mask, y)]
    columns = _used_columns(mask)
    x, y = (columns[0] + columns[1]) / 2, (rows[0] + rows[-1] + 1) / 2
    half = AROUND * max(columns[1] - columns[0], rows[-1] + 1 - rows[0]) / 2
    return [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]


AROUND = 1.2
"""A selected head, hair and chin, in a crop: how much larger the crop is."""
_ANY = re.compile(rb"[^\0]")


def _has_any(mask: Picture, y: int) -> bool:
    row = mask.pixels[y * mask.width : (y + 1) * mask.width]
    return row.count(0) != len(row)


def _used_columns(mask: Picture) -> tuple[int, int]:
    """The first selected column and the one after the last."""
    first, last = mask.width, 0
    for y in range(mask.height):
        row = mask.pixels[y * mask.width : (y + 1) * mask.width]
        found = _ANY.search(row)
        if found:
            first = min(first, found.start())
            last = max(last, len(row.rstrip(b"\0")))
    return first, last
