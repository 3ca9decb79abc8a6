"""The README's picture: four pictures of a demo in a row."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image


def test_four_pictures_stand_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colors = {
        "portrait": (200, 30, 30), "edited": (30, 200, 30),
        "masked": (30, 30, 200), "mixed": (200, 200, 30),
    }  # fmt: skip
    for name, color in colors.items():
        Image.new("RGB", (768, 960), color).save(tmp_path / f"{name}.png")
    out = tmp_path / "hero.png"
    monkeypatch.setattr(sys, "argv", ["hero", str(tmp_path), str(out)])
    runpy.run_module("latentfu.demo.hero", run_name="__main__")
    with Image.open(out) as hero:
        quarter = hero.width // 4
        middles = [hero.getpixel((quarter * n + quarter // 2, 180)) for n in range(4)]
    assert middles == list(colors.values())
