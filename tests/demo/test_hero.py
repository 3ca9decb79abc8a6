"""The README's picture: four pictures of a demo in a row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_four_pictures_stand_in_a_row(tmp_path: Path) -> None:
    colors = {
        "portrait": (200, 30, 30), "edited": (30, 200, 30),
        "masked": (30, 30, 200), "mixed": (200, 200, 30),
    }  # fmt: skip
    for name, color in colors.items():
        Image.new("RGB", (768, 960), color).save(tmp_path / f"{name}.png")
    out = tmp_path / "hero.png"
    subprocess.run([sys.executable, "-m", "latentfu.demo.hero", tmp_path, out], check=True)
    with Image.open(out) as hero:
        quarter = hero.width // 4
        middles = [hero.getpixel((quarter * n + quarter // 2, 180)) for n in range(4)]
    assert middles == list(colors.values())
