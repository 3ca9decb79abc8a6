"""An edit of an edited file starts from the file that was there first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.program import Program

TINY = ("--generator", "tiny", "--inverter", "guess")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_there_and_back_gives_the_original_bytes(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path, ending: str
) -> None:
    source, there, back = photo, tmp_path / f"there.{ending}", tmp_path / "back.png"
    if ending == "jpg":
        source = tmp_path / "source.png"
        Image.open(photo).convert("RGB").save(source)
    ran = latentfu_program("edit", source, "-o", there, "--set", "tilt=1", *TINY)
    assert ran.code == 0, ran.err
    assert not np.array_equal(pixels(there), pixels(source))
    ran = latentfu_program("edit", there, "-o", back, "--set", "tilt=-1", *TINY)
    assert ran.code == 0, ran.err
    assert f"{there} was made from {source}" in ran.err
    assert np.array_equal(pixels(back), pixels(source))


def test_strengths_add_up_over_many_edits(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    at_once, step = tmp_path / "at-once.png", photo
    assert latentfu_program("edit", photo, "-o", at_once, "--set", "tilt=2", *TINY).code == 0
    for number in range(6):
        out, strength = tmp_path / f"{number}.png", (1, 1, -1, 1, -1, 1)[number]
        ran = latentfu_program("edit", step, "-o", out, "--set", f"tilt={strength}", *TINY)
        assert ran.code == 0, ran.err
        step = out
    assert np.array_equal(pixels(step), pixels(at_once))


def test_a_changed_file_or_other_options_are_edited_as_they_are(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    there, back = tmp_path / "there.png", tmp_path / "back.png"
    edit = ("--set", "tilt=1", *TINY)
    again = ("edit", there, "-o", back, "--set", "tilt=-1", *TINY)
    assert latentfu_program("edit", photo, "-o", there, *edit).code == 0
    half_mask = tmp_path / "mask.png"
    Image.fromarray(np.pad(np.full((70, 45), 255, np.uint8), ((0, 0), (0, 45)))).save(half_mask)
    for more in (("--as-is",), ("--mask", half_mask), ("--feather", "3")):
        ran = latentfu_program(*again, *more)
        assert ran.code == 0, ran.err
        assert "was made from" not in ran.err
    Image.open(there).rotate(180).save(tmp_path / "turned.png")
    turned = ("edit", tmp_path / "turned.png", *again[2:])
    assert "was made from" not in latentfu_program(*turned).err
    photo.unlink()
    ran = latentfu_program(*again)
    assert ran.code == 0, ran.err
    assert "is gone or changed" in ran.err
