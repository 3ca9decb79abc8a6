"""The leakage matrix as a picture: a row for each direction, a column for each attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from latentfu_builtin.directions.report import Report

CELL, LEFT, TOP, GAP = 30, 170, 150, 8
PAPER, INK, PLUS, MINUS = (250, 250, 248), (30, 30, 34), (196, 78, 42), (42, 100, 196)


def matrix_picture(report: Report) -> Image.Image:
    """Effects of strength 1: red raises, blue lowers, full colour at one standard deviation."""
    names = report.attributes
    size = (LEFT + len(names) * CELL + GAP, TOP + len(report.rows) * CELL + GAP)
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(14)
    for column, name in enumerate(names):
        label = Image.new("RGB", (TOP, CELL), PAPER)
        ImageDraw.Draw(label).text((4, CELL // 2), name, fill=INK, font=font, anchor="lm")
        picture.paste(label.rotate(90, expand=True), (LEFT + column * CELL, 0))
    for line, row in enumerate(report.rows):
        y = TOP + line * CELL
        draw.text((LEFT - GAP, y + CELL // 2), row.name[:22], fill=INK, font=font, anchor="rm")
        for column, name in enumerate(names):
            x = LEFT + column * CELL
            box = (x, y, x + CELL - 2, y + CELL - 2)
            own = INK if name == row.attribute else None
            draw.rectangle(box, fill=shade(row.effects[name]), outline=own)
    return picture


def shade(effect: float) -> tuple[int, int, int]:
    """The colour of an effect."""
    part = min(abs(effect), 1.0)
    full = PLUS if effect > 0 else MINUS
    red, green, blue = (round(p + part * (f - p)) for p, f in zip(PAPER, full, strict=True))
    return red, green, blue
