"""Quality against time as a picture, drawn with Pillow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentfu import write_image
from PIL import Image, ImageDraw, ImageFont

_SIZE = (960, 600)
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 40, 76, 70
_INK, _FAINT, _DOT = (30, 30, 34), (222, 222, 226), (38, 98, 170)
_Row = Mapping[str, Any]


def write_inversion_plot(path: Path, rows: Sequence[_Row], title: str) -> None:
    """A PNG: seconds a picture (logarithmic) to the right, PSNR upwards, a dot a method."""
    shown = [row for row in rows if "skipped" not in row]
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(16)
    draw.text((_LEFT, 14), title, _INK, font)
    if shown:
        axes = _Axes(
            [float(row["seconds"]) for row in shown], [float(row["psnr"]) for row in shown]
        )
        axes.draw(draw, font)
        _draw_dots(draw, axes, shown, font)
    write_image(path, image)


class _Axes:
    """Where seconds and decibels lie in the picture."""

    def __init__(self, seconds: Sequence[float], psnr: Sequence[float]) -> None:
        self.low = math.floor(math.log10(max(min(seconds), 1e-3)))
        self.high = max(math.ceil(math.log10(max(seconds))), self.low + 1)
        self.bottom = math.floor(min(psnr) / 2) * 2 - 2
        self.top = math.ceil(max(psnr) / 2) * 2 + 2

    def place(self, seconds: float, psnr: float) -> tuple[float, float]:
        """The point in pixels."""
        across = (math.log10(max(seconds, 1e-3)) - self.low) / (self.high - self.low)
        up = (psnr - self.bottom) / (self.top - self.bottom)
        width, height = _SIZE[0] - _LEFT - _RIGHT, _SIZE[1] - _TOP - _BOTTOM
        return _LEFT + across * width, _SIZE[1] - _BOTTOM - up * height

    def draw(self, draw: ImageDraw.ImageDraw, font: Any) -> None:
        """Lines with their figures, and what they mean."""
        for power in range(self.low, self.high + 1):
            x, y = self.place(10.0**power, self.bottom)
            draw.line([(x, y), (x, _TOP)], _FAINT)
            draw.text((x, y + 8), f"{10.0**power:g}", _INK, font, anchor="ma")
        for level in range(self.bottom, self.top + 1, 2):
            x, y = self.place(10.0**self.low, level)
            draw.line([(x, y), (_SIZE[0] - _RIGHT, y)], _FAINT)
            draw.text((x - 8, y), f"{level}", _INK, font, anchor="rm")
        draw.text((_SIZE[0] / 2, _SIZE[1] - 30), "seconds a picture", _INK, font, anchor="ma")
        draw.text((8, _TOP - 30), "PSNR in dB", _INK, font)


def _draw_dots(draw: ImageDraw.ImageDraw, axes: _Axes, rows: Sequence[_Row], font: Any) -> None:
    """One dot for each row with its name, moved where names would cover each other."""
    taken: list[tuple[float, float, float, float]] = []
    for row in sorted(rows, key=lambda one: -float(one["psnr"])):
        x, y = axes.place(float(row["seconds"]), float(row["psnr"]))
        draw.ellipse([x - 5, y - 5, x + 5, y + 5], fill=_DOT)
        width = draw.textlength(row["method"], font)
        left = x + 10 if x + 10 + width < _SIZE[0] - 4 else x - 10 - width
        top = y - 9
        while any(_overlap((left, top, left + width, top + 18), box) for box in taken):
            top += 4
        taken.append((left, top, left + width, top + 18))
        draw.text((left, top), row["method"], _INK, font)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
