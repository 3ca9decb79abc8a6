"""``latentfu bench photographs``: the command on real pictures, and its measures on known ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from latentfu_builtin.benchmarks.photographs import compare_pictures
from PIL import Image

from tests.support.program import Program

PHOTO = Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png"


def test_a_folder_is_edited_measured_and_shown(
    tmp_path: Path, isolated_home: Path, latentfu_program: Program
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    face = Image.open(PHOTO).convert("RGB").crop((90, 0, 346, 256)).resize((160, 160))
    face.save(photos / "color.png")
    face.convert("L").convert("RGB").save(photos / "gray.png")
    Image.new("RGB", (64, 64), (90, 90, 90)).save(photos / "nobody.png")
    ran = latentfu_program("bench", "photographs", photos, "--set", "smile=1", "-o", out, "--json")
    assert ran.code == 0, ran.err
    (row,) = ran.json["edits"]
    assert row["edit"] == "smile=1" and row["photographs"] == 2
    assert row["off_gray"] <= 2 and row["faces_lost"] == 0
    assert 0.5 < row["lowest_sharpness"] <= row["sharpness"] < 1.5
    report = json.loads((out / "report.json").read_text())
    assert report["edits"] == ran.json["edits"] and len(report["inversion"]) == 3
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 2 * 240 and sheet.height == 3 * 240


def test_an_empty_folder_is_one_sentence(
    tmp_path: Path, isolated_home: Path, latentfu_program: Program
) -> None:
    ran = latentfu_program("bench", "photographs", tmp_path)
    assert ran.code == 1 and "There is no picture in" in ran.err


def test_a_blur_and_a_hard_edge_are_measured() -> None:
    random = np.random.default_rng(0)
    before = random.integers(60, 200, (80, 80, 3)).astype(np.uint8)
    after = before.copy()
    after[20:60, 20:60] = 128
    blurred = compare_pictures(before, after, 0.0)
    assert blurred.sharpness < 0.35
    plain = np.full((80, 80, 3), 100, np.uint8)
    pasted = plain.copy()
    pasted[20:60, 20:60] = 140
    assert compare_pictures(plain, pasted, 0.0).seam > 30
    same = compare_pictures(before, before, 0.0)
    assert (same.sharpness, same.seam, same.changed) == (1.0, 0.0, 0.0)


def test_a_change_of_the_background_is_measured() -> None:
    before = np.full((40, 40, 3), 100, np.uint8)
    after, beside = before.copy(), np.zeros((40, 40), np.uint8)
    beside[:20] = 255
    after[20:] = 150
    assert compare_pictures(before, after, 0.0, beside).beside == 0.0
    after[:10] = 110
    assert compare_pictures(before, after, 0.0, beside).beside == 5.0
    assert compare_pictures(before, after, 0.0).beside is None
