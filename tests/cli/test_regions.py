"""latentfu regions and controls regions, and edits kept to regions: on a real photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_editing import server
from tests.support.program import Program

__all__ = ["server"]
ASTRONAUT = Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png"


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def test_a_region_is_written_as_a_mask_of_the_pictures_size(
    isolated_home: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    hair, skin, table = (tmp_path / f"{name}.png" for name in ("hair", "skin", "map"))
    ran = latentfu_program(
        "regions", ASTRONAUT, "-o", hair, "--region", "hair", "--local", "--json"
    )
    assert ran.code == 0, ran.err
    found = {row["name"]: row["share"] for row in ran.json["report"]["regions"]}
    assert found["hair"] > 0.05 and found["skin"] > 0.1 and ran.json["report"]["surety"] > 0.6
    assert (
        latentfu_program("regions", ASTRONAUT, "-o", skin, "--region", "skin", "--local").code == 0
    )
    assert latentfu_program("regions", ASTRONAUT, "-o", table, "--local").code == 0
    masks = read(hair), read(skin)
    size = read(ASTRONAUT).shape[:2]
    assert masks[0].shape == masks[1].shape == size and read(table).shape == (*size, 3)
    assert not ((masks[0] > 200) & (masks[1] > 200)).any()
    assert masks[0].max() == 255 and masks[0][0, 0] == 0


def test_what_is_not_there_or_unknown_is_one_sentence_and_no_file(
    isolated_home: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    ran = latentfu_program("regions", ASTRONAUT, "-o", out, "--region", "tail", "--local")
    assert ran.code == 1 and "There is no region 'tail'; there are: background, skin" in ran.err
    ran = latentfu_program("regions", ASTRONAUT, "-o", out, "--region", "hat", "--local")
    assert ran.code == 1 and "There is no hat in this picture" in ran.err
    blank = tmp_path / "blank.png"
    Image.new("RGB", (90, 90), (120, 90, 60)).save(blank)
    ran = latentfu_program("regions", blank, "-o", out, "--local")
    assert ran.code == 1 and "found nothing" in ran.err
    ran = latentfu_program("regions", ASTRONAUT, "-o", tmp_path / "out.jpg", "--local")
    assert ran.code == 1 and "must end in .png" in ran.err
    assert not out.exists()


def test_controls_say_where_they_act(isolated_home: Path, latentfu_program: Program) -> None:
    ran = latentfu_program("controls", "regions", "smile", "hair_lightness", "--json")
    assert ran.code == 0, ran.err
    found = ran.json["controls"]
    assert "mouth" in found["smile"] and "hair" not in found["smile"]
    assert "hair" in found["hair_lightness"] and "clothes" not in found["hair_lightness"]
    ran = latentfu_program("controls", "regions", "wings")
    assert ran.code == 1 and "There is no control 'wings'" in ran.err


@pytest.mark.usefixtures("server")
def test_the_mask_of_a_control_is_of_where_it_acts(
    latentfu_program: Program, tmp_path: Path
) -> None:
    smile, mouth = tmp_path / "smile.png", tmp_path / "mouth.png"
    ran = latentfu_program("regions", ASTRONAUT, "-o", smile, "--control", "smile")
    assert ran.code == 0, ran.err
    assert "smile: " in ran.out and "mouth" in ran.out.split("smile: ")[1]
    assert latentfu_program("regions", ASTRONAUT, "-o", mouth, "--region", "mouth").code == 0
    acting, alone = read(smile), read(mouth)
    assert (acting[alone == 255] == 255).all() and (acting > 128).mean() < 0.5
    ran = latentfu_program("regions", ASTRONAUT, "-o", smile, "--control", "wings")
    assert ran.code == 1 and "There is no control 'wings'" in ran.err


@pytest.mark.usefixtures("server")
def test_a_running_server_gives_the_same_mask(latentfu_program: Program, tmp_path: Path) -> None:
    here, there = tmp_path / "here.png", tmp_path / "there.png"
    assert (
        latentfu_program("regions", ASTRONAUT, "-o", here, "--region", "hair", "--local").code == 0
    )
    assert latentfu_program("regions", ASTRONAUT, "-o", there, "--region", "hair").code == 0
    assert np.array_equal(read(here), read(there))


def test_auto_goes_with_no_other_region(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    ran = latentfu_program(
        "edit", photo, "-o", tmp_path / "x.png", "--set", "tilt=1", "--region", "auto",
        "--region", "hair",
    )  # fmt: skip
    assert ran.code == 2 and "goes with no other" in ran.err
