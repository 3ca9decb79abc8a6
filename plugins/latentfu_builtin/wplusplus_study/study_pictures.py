"""The editing of the study as pictures: curves over the way, and frames of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from latentfu import write_image
from PIL import Image, ImageDraw, ImageFont

Curves = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""By space, then by attribute: what `editing_table.EditCurves` has."""
_COLORS = {"w": (52, 110, 190), "w+": (214, 120, 30), "w++": (40, 140, 80)}
_ROWS = {
    "attribute": "how much of it",
    "others": "others moved by",
    "likeness": "same person",
}
_WIDE, _HIGH, _LEFT, _TOP, _GAP = 300, 190, 60, 60, 46
_INK, _FAINT = (30, 30, 34), (222, 222, 226)
_LABEL = 130


def draw_curves(path: Path, found: Curves) -> None:
    """A PNG: a column an attribute, a row a measure, a line a space; -30 to 30 to the right."""
    attributes = list(next(iter(found.values())))
    size = (
        _LEFT + len(attributes) * (_WIDE + _GAP),
        _TOP + len(_ROWS) * (_HIGH + _GAP),
    )
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    for place, (space, color) in enumerate(_COLORS.items()):
        draw.text((_LEFT + 70 * place, 8), space, color, font)
    for across, attribute in enumerate(attributes):
        for down, (measure, title) in enumerate(_ROWS.items()):
            corner = (_LEFT + across * (_WIDE + _GAP), _TOP + down * (_HIGH + _GAP))
            draw.text((corner[0], corner[1] - 20), f"{attribute}: {title}", _INK, font)
            lines = {space: found[space][attribute] for space in found}
            _draw_lines(draw, corner, measure, lines)
    write_image(path, image)


def _draw_lines(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    measure: str,
    lines: Mapping[str, Mapping[str, Sequence[float]]],
) -> None:
    """One field of the picture: its axes, their ends in figures, and the lines."""
    small, (left, top) = ImageFont.load_default(12), corner
    values = [value for curves in lines.values() for value in curves[measure]]
    low, high = min(0.0, *values), max(1.0, *values)
    draw.rectangle((left, top, left + _WIDE, top + _HIGH), outline=_FAINT)
    for value in (low, high):
        y = top + _HIGH * (high - value) / (high - low)
        draw.text((left - 6, y), f"{value:.1f}", _INK, small, anchor="rm")
    zero = top + _HIGH * high / (high - low)
    draw.line([(left, zero), (left + _WIDE, zero)], _FAINT)
    draw.line([(left + _WIDE / 2, top), (left + _WIDE / 2, top + _HIGH)], _FAINT)
    for space, curves in lines.items():
        ends = curves["distances"][0], curves["distances"][-1]
        points = [
            (
                left + _WIDE * (distance - ends[0]) / (ends[1] - ends[0]),
                top + _HIGH * (high - value) / (high - low),
            )
            for distance, value in zip(curves["distances"], curves[measure], strict=True)
        ]
        draw.line(points, _COLORS[space], 2)


def stack_strips(path: Path, strips: Mapping[tuple[str, str], Path]) -> None:
    """A PNG of strips of frames, one under another, each with its attribute and space."""
    opened = {
        name: Image.open(file, formats=["PNG"]).convert("RGB") for name, file in strips.items()
    }
    wide = max(strip.width for strip in opened.values())
    image = Image.new("RGB", (_LABEL + wide, sum(s.height for s in opened.values())), "white")
    draw, font, top = ImageDraw.Draw(image), ImageFont.load_default(15), 0
    for (attribute, space), strip in opened.items():
        draw.text((8, top + strip.height // 2), f"{attribute}, {space}", _INK, font, anchor="lm")
        image.paste(strip, (_LABEL, top))
        top += strip.height
    write_image(path, image)
