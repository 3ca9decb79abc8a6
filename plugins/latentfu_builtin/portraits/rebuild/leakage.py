"""The step that draws what each direction moves besides what it is meant to move."""

from __future__ import annotations

from pathlib import Path

from latentfu import Direction, Progress, read_direction
from PIL import Image, ImageDraw

from latentfu_builtin.portraits.rebuild.grids import save
from latentfu_builtin.portraits.renderer import FACTOR_NAMES

CELL, LEFT, TOP = 26, 150, 130
PAPER, INK = (250, 250, 248), (30, 30, 34)
MORE, LESS = (196, 64, 48), (44, 92, 170)


def build_leakage(folder: Path | None, progress: Progress) -> None:
    """A matrix: a row for each direction, a column for each factor the scorer reads."""
    from latentfu_builtin.portraits.plugin import DIRECTIONS

    progress(0.0, "Drawing leakage")
    found = {path.stem: read_direction(path) for path in sorted(DIRECTIONS.glob("*.safetensors"))}
    rows = [found[name] for name in FACTOR_NAMES if name in found]
    save(matrix(rows, list(FACTOR_NAMES)), folder, "leakage.png")


def matrix(rows: list[Direction], columns: list[str]) -> Image.Image:
    """Red is more, blue is less, per unit of the slider; white is nothing."""
    size = (LEFT + CELL * len(columns) + 10, TOP + CELL * len(rows) + 10)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        sheet.paste(turned(name), (LEFT + x * CELL, 0))
    for y, direction in enumerate(rows):
        top = TOP + y * CELL
        draw.text((LEFT - 8, top + CELL / 2), words(direction.name), INK, anchor="rm", font_size=14)
        for x, name in enumerate(columns):
            amount = moved(direction, name)
            box = (LEFT + x * CELL, top, LEFT + (x + 1) * CELL - 2, top + CELL - 2)
            draw.rectangle(box, fill=colour(amount))
            if abs(amount) >= 0.15:
                middle = (LEFT + (x + 0.5) * CELL - 1, top + CELL / 2 - 1)
                text = f"{amount:.1f}".replace("0.", ".")
                draw.text(middle, text, INK, anchor="mm", font_size=11)
    return sheet


def moved(direction: Direction, attribute: str) -> float:
    """What the scorer sees of ``attribute`` when the slider moves by 1."""
    if attribute == (direction.attribute or direction.name):
        return float(direction.effect or 0.0)
    return float(direction.leakage.get(attribute, 0.0))


def colour(amount: float) -> tuple[int, int, int]:
    """White at 0, full at 1 and beyond."""
    part = min(1.0, abs(amount))
    strong = MORE if amount > 0 else LESS
    red, green, blue = (round(255 + (value - 255) * part) for value in strong)
    return red, green, blue


def turned(name: str) -> Image.Image:
    """A column's head, written upwards."""
    strip = Image.new("RGB", (TOP, CELL), PAPER)
    ImageDraw.Draw(strip).text((8, CELL / 2), words(name), INK, anchor="lm", font_size=14)
    return strip.rotate(90, expand=True)


def words(name: str) -> str:
    """A name for people."""
    return name.replace("_", " ")
