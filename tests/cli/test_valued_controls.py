"""Controls that are no sliders: a check, a choice, a color, a point, a picture, a text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import latentfu
import numpy as np
import pytest
from latentfu.core.errors import BadInputError
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu.testing import TinyGenerator, check_controls, tiny_spec
from PIL import Image

from tests.support import small_house
from tests.support.program import Program, run_server
from tests.support.wardrobe import add_wardrobe

TINY = ("--generator", "tiny", "--inverter", "guess")
SETTINGS = ("lenses=on", "hat=cap", "hat=top hat", "dye=#ff8000", "mole=45,35", "badge=hello")


@pytest.fixture
def house(isolated_home: Path) -> Iterator[Path]:
    """The small house with a wardrobe."""
    small_house.build(isolated_home)
    add_wardrobe(isolated_home)
    with use_registry(Registry(all_sources())):
        yield isolated_home


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.png"
    across = np.linspace(150, 250, 40).astype(np.uint8)
    Image.fromarray(np.tile(across[None, :, None], (40, 1, 3))).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def edit(program: Program, photo: Path, out: Path, *settings: str, more: tuple[str, ...] = ()):
    words = [word for setting in settings for word in ("--set", setting)]
    return program("edit", photo, "-o", out, *words, *TINY, "--region", "whole", *more)


def test_each_setting_gives_a_picture_of_its_own(
    house: Path, latentfu_program: Program, photo: Path, other: Path, tmp_path: Path
) -> None:
    seen = [pixels(photo)]
    for number, setting in enumerate([*SETTINGS, f"like=@{other}"]):
        out = tmp_path / f"{number}.png"
        ran = edit(latentfu_program, photo, out, setting, more=("--local",))
        assert ran.code == 0, ran.err
        assert setting.split("=")[0] in ran.out
        assert not any(np.array_equal(pixels(out), before) for before in seen), setting
        seen.append(pixels(out))


def test_what_is_off_or_empty_changes_nothing(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    assert edit(latentfu_program, photo, out, "lenses=off", more=("--local",)).code == 0
    assert np.array_equal(pixels(out), pixels(photo))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("hat=crown", "one of cap, top hat"),
        ("hat=1", "one of cap, top hat"),
        ("lenses=perhaps", "on or off"),
        ("dye=red", "#ff8800"),
        ("mole=here", "x,y in pixels"),
        ("mole=4000,4000", "outside the part"),
        ("like=nothing", "a picture"),
        ("tilt=much", "a number"),
        ("cape=long", "no control 'cape'"),
    ],
)
def test_a_value_that_is_not_taken_is_told(
    setting: str, words: str, house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    ran = edit(latentfu_program, photo, out, setting, more=("--local",))
    assert ran.code == 1 and words in ran.err, ran.err
    assert not out.exists()


def test_the_list_says_what_each_can_be_set_to(house: Path, latentfu_program: Program) -> None:
    listed = latentfu_program("controls", "list", "--generator", "tiny", "--json").json["controls"]
    widgets = {each["name"]: each["widget"] for each in listed}
    assert widgets["tilt"] == "slider" and widgets["hat"] == "choice"
    assert next(each for each in listed if each["name"] == "hat")["choices"] == ["cap", "top hat"]
    shown = latentfu_program("controls", "list", "--generator", "tiny").out
    assert "cap, top hat" in shown


def test_python_takes_values_as_they_are(house: Path, photo: Path) -> None:
    picture = pixels(photo)
    names = {"generator": "tiny", "inverter": "guess", "regions": "whole"}
    guest = picture[10:50, 10:50, :3] // 2 + 120
    values = ({"lenses": True}, {"mole": (45.0, 35.0)}, {"like": guest}, {"hat": "cap"})
    made = [latentfu.edit(picture, {}, values=each, **names) for each in values]
    assert len({each.tobytes() for each in (picture, *made)}) == len(made) + 1
    with pytest.raises(BadInputError, match="a picture"):
        latentfu.edit(picture, {}, values={"like": "a word"}, **names)


def test_the_server_does_the_same(
    house: Path, latentfu_program: Program, photo: Path, other: Path, tmp_path: Path
) -> None:
    settings = ("hat=top hat", f"like=@{other}", "tilt=1", "mole=45,35")
    there, here = tmp_path / "there.png", tmp_path / "here.png"
    with run_server() as client:
        ran = edit(latentfu_program, photo, there, *settings, more=("--json",))
        assert ran.code == 0 and ran.json["place"] == "server", ran.err
        (hat,) = [each for each in client.controls("tiny").controls if each.name == "hat"]
    assert edit(latentfu_program, photo, here, *settings, more=("--local",)).code == 0
    assert np.array_equal(pixels(there), pixels(here))
    assert hat.choices == ("cap", "top hat")


def test_the_contract_is_checked_for_them_too(house: Path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "wardrobe", house / "config" / "plugins" / "wardrobe.py"
    )
    assert spec is not None and spec.loader is not None
    wardrobe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wardrobe)
    checked = check_controls(wardrobe, TinyGenerator(), tiny_spec())
    assert len(checked) == 6
    wardrobe.Put.apply_value = lambda self, latent, value, generator: None
    with pytest.raises(AssertionError, match=r"does not give a latentfu\.Latent"):
        check_controls(wardrobe, TinyGenerator(), tiny_spec())
