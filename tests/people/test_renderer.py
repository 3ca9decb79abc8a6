"""The renderer of people: the same again, every factor seen, truth that fits the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from latentfu import NotInstalledError
from latentfu_builtin.people.cli import render_people_command
from latentfu_builtin.people.factors import PERSON_FACTORS, default_factors, sample_factors
from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.people.renderer import PeopleRenderer

pytestmark = pytest.mark.filterwarnings("ignore")

_NUMBER = {name: i for i, name in enumerate(REGIONS)}
_NEEDS = {  # what must be shown for a factor to be seen
    "lipstick_hue": {"lipstick": 0.8},
    "hair_parting": {"hair_length": 0.6},
    "gray_hair": {"age": 65.0},
    "freckles": {"skin_tone": -0.7},
    "teeth_whiteness": {"laugh": 0.8},
    "beard_cut": {"beard": 0.6},
    "moustache_cut": {"moustache": 0.6},
    "glasses_shape": {"glasses": 0.6},
    "glasses_color": {"glasses": 0.6},
    "glasses_tint": {"glasses": 0.6},
    "hat_kind": {"hat": 0.6},
    "hat_hue": {"hat": 0.6},
    "hat_light": {"hat": 0.6},
    "earring_kind": {"earrings": 0.8, "hair_length": -0.8},
    "earrings": {"hair_length": -0.8},
    "hair_tied": {"hair_length": 0.5},
}


@pytest.fixture(scope="module")
def renderer() -> PeopleRenderer:
    try:
        return PeopleRenderer(128)
    except NotInstalledError as error:
        pytest.skip(str(error))


def test_the_same_person_twice_is_the_same_picture(renderer: PeopleRenderer) -> None:
    person = sample_factors(3)
    first = renderer.render(person, 3, with_truth=True)
    renderer.render(sample_factors(4), 4)
    second = renderer.render(person, 3, with_truth=True)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.regions is not None and second.regions is not None
    assert np.array_equal(first.regions, second.regions)


@pytest.mark.parametrize("factor", PERSON_FACTORS, ids=lambda f: f.name)
def test_each_factor_changes_the_picture(renderer: PeopleRenderer, factor: object) -> None:
    name, low, high = factor.name, factor.low, factor.high  # type: ignore[attr-defined]
    person = {**default_factors(), **_NEEDS.get(name, {})}
    before = renderer.render({**person, name: low + 0.25 * (high - low)}, 1, with_truth=True)
    after = renderer.render({**person, name: high - 0.05 * (high - low)}, 1, with_truth=True)
    change = np.abs(before.pixels.astype(float) - after.pixels).sum(2)
    assert (change > 12).sum() >= 6
    assert before.regions is not None and after.regions is not None
    numbers = [_NUMBER[r] for r in factor.regions]  # type: ignore[attr-defined]
    inside = np.isin(before.regions, numbers) | np.isin(after.regions, numbers)
    change[change <= 12] = 0  # the grain of the picture
    assert change[inside].sum() > 0.7 * change.sum()


def test_a_wink_leaves_hair_clothes_and_background_alone(renderer: PeopleRenderer) -> None:
    person = {**default_factors(), "hair_length": 0.4}
    before = renderer.render(person, 1, with_truth=True)
    after = renderer.render({**person, "wink_left": 1.0}, 1, with_truth=True)
    change = np.abs(before.pixels.astype(float) - after.pixels).sum(2)
    assert before.regions is not None
    behind = np.isin(before.regions, [_NUMBER[n] for n in ("background", "clothes", "hair")])
    assert change[behind].sum() < 0.25 * change.sum()


def test_regions_and_depth_cover_the_picture(renderer: PeopleRenderer) -> None:
    shown: set[int] = set()
    for seed in range(12):
        picture = renderer.render(sample_factors(seed), seed, with_truth=True)
        assert picture.regions is not None and picture.depth is not None
        assert picture.regions.max() < len(REGIONS)
        behind = picture.regions == 0
        assert (picture.depth[behind] == 100).all() and (picture.depth[~behind] < 4).all()
        shown |= set(np.unique(picture.regions).tolist())
    assert {_NUMBER[n] for n in ("skin", "eyes", "nose", "mouth", "hair", "ears")} <= shown
    assert {_NUMBER[n] for n in ("neck", "clothes", "brows", "glasses", "hat")} <= shown


def test_landmarks_lie_in_their_regions(renderer: PeopleRenderer) -> None:
    person = {**default_factors(), "hair_length": -0.6, "eye_open": 0.4}
    picture = renderer.render(person, 0, with_truth=True)
    assert picture.regions is not None

    def share(points: slice, names: tuple[str, ...]) -> float:
        numbers = [_NUMBER[n] for n in names]
        x, y = picture.landmarks[points].round().astype(int).T
        near = [picture.regions[b - 2 : b + 3, a - 2 : a + 3] for a, b in zip(x, y, strict=True)]
        return float(np.mean([np.isin(block, numbers).any() for block in near]))

    assert share(slice(48, 68), ("mouth", "teeth")) >= 0.9
    assert share(slice(36, 48), ("eyes",)) >= 0.9
    assert share(slice(28, 36), ("nose",)) >= 0.8
    assert share(slice(17, 27), ("brows",)) >= 0.8
    left, right = picture.landmarks[36:42].mean(0), picture.landmarks[42:48].mean(0)
    assert left[0] < right[0] < picture.quad[:, 0].max()


def test_no_strand_falls_over_the_eyes_without_a_fringe(renderer: PeopleRenderer) -> None:
    for length in (-0.5, 0.2, 1.0):
        for curl in (-0.5, 0.9):
            face = {**default_factors(), "hair_length": length, "hair_curl": curl}
            picture = renderer.render(face, 5, with_truth=True)
            assert picture.regions is not None
            (x0, y0), (x1, y1) = picture.landmarks[36:48].min(0), picture.landmarks[36:48].max(0)
            eyes = picture.regions[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
            assert not (eyes == _NUMBER["hair"]).any()


def test_the_command_writes_a_sheet(renderer: PeopleRenderer, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"smile": 0.9}')
    sheet = tmp_path / "sheet.png"
    words = ["--count", "3", "--size", "64", "--regions", "-o", str(sheet), "--json"]
    done = CliRunner().invoke(
        render_people_command, [*words, "--factors", str(tmp_path / "f.json")]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["count"] == 3
    from PIL import Image

    assert Image.open(sheet).size == (128, 256)
