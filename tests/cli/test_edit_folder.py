"""``latentfu edit FOLDER``: here, by the server, by several processes; what stays, what fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import small_world
from tests.support.program import Program, run_server

EDIT = ("--set", "tilt=2", "--generator", "tiny", "--inverter", "guess")


@pytest.fixture
def photos(house: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, ending in enumerate(("png", "jpg", "png")):
        pixels = small_world.picture(70, 90, 3, number).pixels
        Image.fromarray(pixels).save(folder / f"p{number}.{ending}")
    return folder


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def pictures_of(folder: Path) -> dict[str, bytes]:
    found = contents(folder)
    assert json.loads(found.pop("edits.json"))["pictures"]
    return found


def test_every_picture_is_edited_alike_whoever_does_it(
    latentfu_program: Program, photos: Path, tmp_path: Path
) -> None:
    ways = {"here": ("--local",), "one": ("--jobs", "1"), "two": ("--jobs", "2")}
    for name, words in ways.items():
        ran = latentfu_program("edit", photos, "-o", tmp_path / name, *EDIT, *words)
        assert ran.code == 0, ran.err
        assert f"{tmp_path / name}: tilt=2 for 3 pictures." in ran.out
    with run_server():
        ran = latentfu_program("edit", photos, "-o", tmp_path / "server", *EDIT, "--json")
    assert ran.code == 0, ran.err
    made = [pictures_of(tmp_path / name) for name in (*ways, "server")]
    assert list(made[0]) == ["p0.png", "p1.jpg", "p2.png"]
    assert all(each == made[0] for each in made)
    assert not np.array_equal(pixels(photos / "p0.png"), pixels(tmp_path / "here" / "p0.png"))


def test_what_is_done_stays_and_what_has_changed_is_edited_again(
    latentfu_program: Program, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    edit = ("edit", photos, "-o", out, *EDIT[2:], "--local", "--json")

    def states(*more: str, tilt: int = 2) -> list[str]:
        ran = latentfu_program(*edit, "--set", f"tilt={tilt}", *more)
        assert ran.code == 0, ran.err
        return [row["state"] for row in ran.json["pictures"]]

    assert states() == ["edited"] * 3
    whole = pictures_of(out)
    assert states() == ["there already"] * 3
    (out / "p0.png").unlink()  # lost
    (out / "p1.jpg").write_bytes(whole["p1.jpg"][:-50])  # cut short
    assert states() == ["edited", "edited", "there already"]
    assert pictures_of(out) == whole
    Image.fromarray(small_world.picture(70, 90, 3, 9).pixels).save(photos / "p2.png")
    assert states() == ["there already", "there already", "edited"]
    assert states("--again") == ["edited"] * 3
    assert states(tilt=-1) == ["edited"] * 3  # another wish


def test_an_edit_of_edited_pictures_begins_from_the_first_ones(
    latentfu_program: Program, photos: Path, tmp_path: Path
) -> None:
    first, second, whole = (tmp_path / name for name in ("first", "second", "whole"))
    for source, out, strength in ((photos, first, 1), (first, second, 1), (photos, whole, 2)):
        (source / "edits.json").unlink(missing_ok=True)
        words = ("--set", f"tilt={strength}", *EDIT[2:], "--local")
        ran = latentfu_program("edit", source, "-o", out, *words)
        assert ran.code == 0, ran.err
    assert pictures_of(second) == pictures_of(whole)


@pytest.mark.parametrize("where", [("--local",), ("--jobs", "2")])
def test_a_picture_that_cannot_be_used_keeps_none_of_the_others(
    latentfu_program: Program, photos: Path, tmp_path: Path, where: tuple[str, ...]
) -> None:
    (photos / "bad.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    ran = latentfu_program("edit", photos, "-o", out, *EDIT, *where)
    assert ran.code == 1
    assert f"1 of 4 pictures could not be edited; {out / 'edits.json'} says why." in ran.err
    assert sorted(contents(out)) == ["edits.json", "p0.png", "p1.jpg", "p2.png"]
    table = json.loads((out / "edits.json").read_text())["pictures"]
    assert [row["picture"] for row in table if "error" in row] == ["bad.png"]


def test_wrong_use_is_a_sentence_and_leaves_nothing(
    latentfu_program: Program, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    edit = ("edit", photos, "-o", out, *EDIT, "--local")
    ran = latentfu_program(
        "edit", photos / "p0.png", "-o", tmp_path / "x.png", *EDIT, "--jobs", "2"
    )
    assert ran.code == 2 and "for a folder of pictures" in ran.err
    ran = latentfu_program(*edit, "--mask", photos / "p0.png")
    assert ran.code == 2 and "A mask and a place are for one picture." in ran.err
    ran = latentfu_program("edit", photos, "-o", photos, *EDIT, "--local")
    assert ran.code == 1 and "name another folder" in ran.err
    assert not out.exists()
    ran = latentfu_program("edit", photos, "-o", out, "--set", "smirk=2", *EDIT[2:], "--local")
    assert ran.code == 1 and len(ran.err.strip().splitlines()) == 1 and "smirk" in ran.err
    assert not any(out.glob("p*"))
