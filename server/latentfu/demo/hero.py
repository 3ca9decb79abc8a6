"""``python -m latentfu.demo.hero DEMO OUT.png``: the README's picture, from a demo's folder."""

from __future__ import annotations

import sys
from pathlib import Path

from latentfu.core.contact_sheet import INK, PAPER, font
from latentfu.storage.atomic import whole_file

SHOWN = (
    ("portrait", "a layer"),
    ("edited", "several directions"),
    ("masked", "inside a selection"),
    ("mixed", "mixed with another"),
)
WIDTH, HEIGHT, GAP, CAPTION = 288, 360, 12, 40


def make_hero(demo: Path, target: Path) -> None:
    """Four of the demo's pictures in a row, each with its caption."""
    from PIL import Image, ImageDraw

    hero = Image.new("RGB", (len(SHOWN) * (WIDTH + GAP) + GAP, HEIGHT + CAPTION + GAP), PAPER)
    draw = ImageDraw.Draw(hero)
    for index, (name, caption) in enumerate(SHOWN):
        left = GAP + index * (WIDTH + GAP)
        with Image.open(demo / f"{name}.png", formats=["PNG"]) as picture:
            small = picture.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        hero.paste(small, (left, GAP))
        place = (left + WIDTH // 2, GAP + HEIGHT + CAPTION // 2)
        draw.text(place, caption, fill=INK, font=font(20), anchor="mm")
    with whole_file(target) as temporary:
        hero.save(temporary, "PNG", optimize=True)


if __name__ == "__main__":
    make_hero(Path(sys.argv[1]), Path(sys.argv[2]))
