"""A labelled contact sheet: one row per control, one column per strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentfu.core.layer import Pixels

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

CELL, GAP, LABEL, HEAD = 120, 4, 190, 40
PAPER, INK, FAINT = (250, 250, 248), (30, 30, 34), (120, 120, 126)


@dataclass(frozen=True)
class SheetRow:
    """``title`` and ``plus`` ("+ is more smile") beside uint8 ``[S, S, 3]`` pictures."""

    title: str
    plus: str
    pictures: Sequence[Pixels]


def contact_sheet(rows: Sequence[SheetRow], heads: Sequence[str], blocks: int = 2) -> Image.Image:
    """Draw rows of pictures with their titles, for looking at many edits at once.

    Args:
        rows: each a title and its pictures, uint8 ``[S, S, 3]``, as many as there are ``heads``.
        heads: what stands over each column.
        blocks: so many columns of rows stand side by side.

    Returns:
        An RGB picture; each cell is 120 pixels wide.
    """
    from PIL import Image, ImageDraw

    per_block = -(-len(rows) // blocks)
    width = LABEL + len(heads) * (CELL + GAP) + 2 * GAP
    sheet = Image.new("RGB", (width * blocks, HEAD + per_block * (CELL + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for block in range(blocks):
        part = rows[block * per_block : (block + 1) * per_block]
        if part:
            _heads(draw, block * width, heads)
        for index, row in enumerate(part):
            _row(sheet, draw, block * width, HEAD + index * (CELL + GAP), row)
    return sheet


def _heads(draw: ImageDraw.ImageDraw, left: int, heads: Sequence[str]) -> None:
    for column, text in enumerate(heads):
        center = left + LABEL + column * (CELL + GAP) + CELL // 2
        draw.text((center, HEAD // 2), text, fill=INK, font=font(20), anchor="mm")


def _row(sheet: Image.Image, draw: ImageDraw.ImageDraw, left: int, top: int, row: SheetRow) -> None:
    from PIL import Image

    middle = top + CELL // 2
    title = _fit(row.title, 20, LABEL - 3 * GAP)
    draw.text((left + 2 * GAP, middle - 3), title, fill=INK, font=font(20), anchor="ls")
    draw.text((left + 2 * GAP, middle + 3), _wrap(row.plus), fill=FAINT, font=font(13))
    for column, picture in enumerate(row.pictures):
        cell = Image.fromarray(picture).resize((CELL, CELL), Image.Resampling.LANCZOS)
        sheet.paste(cell, (left + LABEL + column * (CELL + GAP), top))


def _wrap(text: str) -> str:
    """At most three lines of the label's width."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font(13).getlength(longer) <= LABEL - 3 * GAP:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines[:3])


def _fit(text: str, size: int, width: int) -> str:
    while len(text) > 4 and font(size).getlength(text) > width:
        text = text[:-2] + "…"
    return text


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own TrueType font, so that the sheet looks the same everywhere."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
