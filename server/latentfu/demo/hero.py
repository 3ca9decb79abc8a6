"""``python -m latentfu.demo.hero DEMO OUT.png``: the README's picture, from a demo's folder."""

from __future__ import annotations

import sys
from pathlib import Path

from latentfu.core.contact_sheet import INK, PAPER, font
from latentfu.storage.atomic import whole_file

_SHOWN = (
    ("portrait", "a layer"),
    ("edited", "several directions"),
    ("masked", "inside a selection"),
    ("mixed", "another's hair"),
)
_WIDTH, _HEIGHT, _GAP, _CAPTION = 288, 360, 12, 40


def _make_hero(demo: Path, target: Path) -> None:
    """Four of the demo's pictures in a row, each with its caption."""
    from PIL import Image, ImageDraw

    hero = Image.new(
        "RGB", (len(_SHOWN) * (_WIDTH + _GAP) + _GAP, _HEIGHT + _CAPTION + _GAP), PAPER
    )
    draw = ImageDraw.Draw(hero)
    for index, (name, caption) in enumerate(_SHOWN):
        left = _GAP + index * (_WIDTH + _GAP)
        with Image.open(demo / f"{name}.png", formats=["PNG"]) as picture:
            small = picture.convert("RGB").resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)
        hero.paste(small, (left, _GAP))
        place = (left + _WIDTH // 2, _GAP + _HEIGHT + _CAPTION // 2)
        draw.text(place, caption, fill=INK, font=font(20), anchor="mm")
    with whole_file(target) as temporary:
        hero.save(temporary, "PNG", optimize=True)


if __name__ == "__main__":
    _make_hero(Path(sys.argv[1]), Path(sys.argv[2]))
