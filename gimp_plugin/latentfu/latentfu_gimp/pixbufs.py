"""Pictures as GTK shows them: a part of one at some size, frames and lines on it."""

from __future__ import annotations

from gi.repository import GdkPixbuf, GLib

from .view import Corners, Viewport
from .wire import Picture

THICK = 2
LIGHT, DARK = 0x999999, 0x666666
"""The checks behind what is transparent, RGB."""


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


def show_part(picture: GdkPixbuf.Pixbuf, view: Viewport) -> GdkPixbuf.Pixbuf | None:
    """What a view shows of a picture of its whole layer, of any size; None without memory for it.

    The part is cut out a pixel wider and then scaled, so that it does not jump while it is dragged.
    """
    part, offsets, scales = _cut_part(picture, view)
    width, height = view.size
    smooth = GdkPixbuf.InterpType.BILINEAR if view.scale < 3 else GdkPixbuf.InterpType.NEAREST
    target = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, width, height)
    if target is None:
        return None
    if part.get_has_alpha():
        part.composite_color(
            target, 0, 0, width, height, *offsets, *scales, smooth, 255, 0, 0, 8, LIGHT, DARK
        )
    else:
        part.scale(target, 0, 0, width, height, *offsets, *scales, smooth)
    return target


def _cut_part(
    picture: GdkPixbuf.Pixbuf, view: Viewport
) -> tuple[GdkPixbuf.Pixbuf, tuple[float, float], tuple[float, float]]:
    """What a view shows of a picture of its layer; where on the screen, and how much larger."""
    across = picture.get_width() / view.whole.width
    down = picture.get_height() / view.whole.height
    shown = view.shown
    x, y = int(shown.x * across), int(shown.y * down)
    x, y = min(x, picture.get_width() - 1), min(y, picture.get_height() - 1)
    right = min(picture.get_width(), int((shown.x + shown.width) * across) + 1)
    bottom = min(picture.get_height(), int((shown.y + shown.height) * down) + 1)
    part = picture.new_subpixbuf(x, y, max(1, right - x), max(1, bottom - y))
    scales = (view.scale / across, view.scale / down)
    offsets = (x * scales[0] - shown.x * view.scale, y * scales[1] - shown.y * view.scale)
    return part, offsets, scales


def draw_frame(picture: GdkPixbuf.Pixbuf, quad: Corners, view: Viewport, color: int) -> None:
    """The outline of a square of the layer, dot by dot: GIMP's Python may be without cairo."""
    shown, scale = view.shown, view.scale
    points = [((x - shown.x) * scale, (y - shown.y) * scale) for x, y in quad]
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        steps = max(1, int(max(abs(bx - ax), abs(by - ay)) / THICK))
        for step in range(steps):
            x, y = ax + (bx - ax) * step / steps, ay + (by - ay) * step / steps
            inside = 0 <= x < picture.get_width() - THICK and 0 <= y < picture.get_height() - THICK
            if inside:
                picture.new_subpixbuf(int(x), int(y), THICK, THICK).fill(color)


def draw_line(picture: GdkPixbuf.Pixbuf, x: int, color: int) -> None:
    """A line from top to bottom."""
    left = min(max(0, x - THICK // 2), picture.get_width() - 1)
    width = min(THICK, picture.get_width() - left)
    picture.new_subpixbuf(left, 0, width, picture.get_height()).fill(color)


def dim_outside(picture: Picture, mask: Picture) -> GdkPixbuf.Pixbuf:
    """The picture with what the mask leaves out in the dark."""
    shown = pixbuf(picture).copy()
    size = (picture.width, picture.height)
    nearest = GdkPixbuf.InterpType.NEAREST
    make_shade(mask).composite(shown, 0, 0, *size, 0.0, 0.0, 1.0, 1.0, nearest, 255)
    return shown


def make_shade(mask: Picture) -> GdkPixbuf.Pixbuf:
    """Darkness where the mask is 0, to be laid over a picture."""
    shade = bytearray(4 * len(mask.pixels))
    shade[3::4] = mask.pixels.translate(_DIM)
    return pixbuf(Picture(mask.width, mask.height, 4, bytes(shade)))


def draw_over(shown: GdkPixbuf.Pixbuf, over: GdkPixbuf.Pixbuf, view: Viewport) -> None:
    """Lay a picture of the whole layer, of any size, over what a view shows of the layer."""
    part, offsets, scales = _cut_part(over, view)
    size = (shown.get_width(), shown.get_height())
    part.composite(shown, 0, 0, *size, *offsets, *scales, GdkPixbuf.InterpType.BILINEAR, 255)


def shrink_picture(picture: Picture, side: int) -> Picture:
    """The picture with its longest side at most ``side``."""
    factor = min(1.0, side / max(picture.width, picture.height))
    width, height = (max(1, round(factor * each)) for each in (picture.width, picture.height))
    small = pixbuf(picture).scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
    return picture if small is None else unpack_pixbuf(small)


def unpack_pixbuf(shown: GdkPixbuf.Pixbuf) -> Picture:
    """The pixels of a pixbuf, tightly packed."""
    width, height, channels = shown.get_width(), shown.get_height(), shown.get_n_channels()
    data, stride = shown.get_pixels(), shown.get_rowstride()
    rows = (data[start : start + width * channels] for start in range(0, height * stride, stride))
    return Picture(width, height, channels, b"".join(rows))


_DIM = bytes(round(0.75 * (255 - level)) for level in range(256))
