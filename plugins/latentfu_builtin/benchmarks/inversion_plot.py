"""Quality against time as a picture, drawn with Pillow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentfu import write_whole
from PIL import Image, ImageDraw, ImageFont

SIZE = (960, 600)
LEFT, RIGHT, TOP, BOTTOM = 80, 40, 76, 70
INK, FAINT, DOT = (30, 30, 34), (222, 222, 226), (38, 98, 170)
_Row = Mapping[str, Any]


def write_inversion_plot(path: Path, rows: Sequence[_Row], title: str) -> None:
    """A PNG: seconds a picture (logarithmic) to the right, PSNR upwards, a dot a method."""
    import io

    shown = [row for row in rows if "skipped" not in row]
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(16)
    draw.text((LEFT, 14), title, INK, font)
    if shown:
        axes = _Axes(
            [float(row["seconds"]) for row in shown], [float(row["psnr"]) for row in shown]
        )
        axes.draw(draw, font)
        _draw_dots(draw, axes, shown, font)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_whole(path, buffer.getvalue())


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
        width, height = SIZE[0] - LEFT - RIGHT, SIZE[1] - TOP - BOTTOM
        return LEFT + across * width, SIZE[1] - BOTTOM - up * height

    def draw(self, draw: ImageDraw.ImageDraw, font: Any) -> None:
        """Lines with their figures, and what they mean."""
        for power in range(self.low, self.high + 1):
            x, y = self.place(10.0**power, self.bottom)
            draw.line([(x, y), (x, TOP)], FAINT)
            draw.text((x, y + 8), f"{10.0**power:g}", INK, font, anchor="ma")
        for level in range(self.bottom, self.top + 1, 2):
            x, y = self.place(10.0**self.low, level)
            draw.line([(x, y), (SIZE[0] - RIGHT, y)], FAINT)
            draw.text((x - 8, y), f"{level}", INK, font, anchor="rm")
        draw.text((SIZE[0] / 2, SIZE[1] - 30), "seconds a picture", INK, font, anchor="ma")
        draw.text((8, TOP - 30), "PSNR in dB", INK, font)


def _draw_dots(draw: ImageDraw.ImageDraw, axes: _Axes, rows: Sequence[_Row], font: Any) -> None:
    """One dot for each row with its name, moved where names would cover each other."""
    taken: list[tuple[float, float, float, float]] = []
    for row in sorted(rows, key=lambda one: -float(one["psnr"])):
        x, y = axes.place(float(row["seconds"]), float(row["psnr"]))
        draw.ellipse([x - 5, y - 5, x + 5, y + 5], fill=DOT)
        width = draw.textlength(row["method"], font)
        left = x + 10 if x + 10 + width < SIZE[0] - 4 else x - 10 - width
        top = y - 9
        while any(_overlap((left, top, left + width, top + 18), box) for box in taken):
            top += 4
        taken.append((left, top, left + width, top + 18))
        draw.text((left, top), row["method"], INK, font)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
