"""Pictures of faces are framed as the aligner for photographs frames them."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import pytest
from click.testing import CliRunner
from latentfu import NotInstalledError
from latentfu_builtin.people.cli import render_people_command
from latentfu_builtin.people.factors import PERSON_FACTORS, default_factors, sample_factors
from latentfu_builtin.people.renderer import PeopleRenderer
from latentfu_builtin.people.teacher import PeopleTeacher
from latentfu_builtin.stylegan.training.source import open_teacher
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")

SIDE = 128
PEOPLE = range(6)
AT_REST = {
    factor.name: default_factors()[factor.name]
    for factor in PERSON_FACTORS
    if factor.group == "expression"
}
"""People as they are framed: what a face does moves the face, not the picture."""


@pytest.fixture(scope="module")
def renderers() -> tuple[PeopleRenderer, PeopleRenderer]:
    try:
        return PeopleRenderer(4 * SIDE), PeopleRenderer(SIDE, 4, "face")
    except NotInstalledError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("seed", PEOPLE)
def test_a_face_is_the_square_that_an_aligner_cuts_out_of_the_whole(
    renderers: tuple[PeopleRenderer, PeopleRenderer], seed: int
) -> None:
    person = {**sample_factors(seed), **AT_REST}
    whole, face = (each.render(person, with_truth=True) for each in renderers)
    assert np.abs(face.quad - np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * SIDE).max() < 0.5
    corners = tuple(whole.quad[[0, 3, 2, 1]].ravel())
    cut = Image.fromarray(whole.pixels).transform(
        (2 * SIDE, 2 * SIDE), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC
    )
    cut = cut.resize((SIDE, SIDE), Image.Resampling.BOX)
    inside = slice(SIDE // 8, SIDE - SIDE // 8)  # corners may lie outside the whole
    error = np.asarray(cut, float)[inside, inside] - face.pixels[inside, inside]
    assert 20 * np.log10(255 / np.sqrt((error**2).mean())) > 28
    assert whole.regions is not None
    assert face.regions is not None
    named = Image.fromarray(whole.regions).transform(
        (SIDE, SIDE), Image.Transform.QUAD, corners, Image.Resampling.NEAREST
    )
    same = np.asarray(named)[inside, inside] == face.regions[inside, inside]
    assert same.mean() > 0.93


def test_the_aligner_for_photographs_finds_the_same_square(
    renderers: tuple[PeopleRenderer, PeopleRenderer],
) -> None:
    aligner = latentfu.aligners()["faces"]
    off, ratio = [], []
    for seed in PEOPLE:
        whole = renderers[0].render({**sample_factors(seed), **AT_REST})
        found = aligner.find(whole.pixels)
        assert len(found) == 1
        corners = np.array(found[0].corners)
        side = np.linalg.norm(whole.quad[1] - whole.quad[0])
        off.append(np.abs(corners.mean(0) - whole.quad.mean(0)).max() / side)
        ratio.append(np.linalg.norm(corners[1] - corners[0]) / side)
    assert max(off) < 0.03
    assert np.abs(np.mean(ratio) - 1) < 0.07


@pytest.mark.parametrize("change", [{"smile": 1.0}, {"mouth_open": 1.0}, {"eye_open": -1.0}])
def test_an_expression_leaves_the_rest_of_the_picture_where_it_was(
    renderers: tuple[PeopleRenderer, PeopleRenderer], change: dict[str, float]
) -> None:
    person = default_factors()
    before, after = (renderers[1].render({**person, **each}).pixels for each in ({}, change))
    differs = np.abs(before.astype(float) - after).sum(axis=2) > 24
    assert 0.002 < differs.mean() < 0.1
    assert not differs[: SIDE // 4].any()


def test_what_networks_learn_from_are_faces_unless_asked_otherwise() -> None:
    face, wide = open_teacher("people"), open_teacher("people", framing="wide")
    assert isinstance(face, PeopleTeacher)
    assert isinstance(wide, PeopleTeacher)
    assert (face.framing, wide.framing) == ("face", "wide")
    with pytest.raises(ValueError, match="takes no framing"):
        open_teacher("portraits", framing="wide")


def test_the_command_frames_faces(
    renderers: tuple[PeopleRenderer, PeopleRenderer], tmp_path: Path
) -> None:
    sheets = []
    for framing in ("wide", "face"):
        path = tmp_path / f"{framing}.png"
        words = ["-o", str(path), "--count", "1", "--size", "64", "--framing", framing]
        assert CliRunner().invoke(render_people_command, words).exit_code == 0
        sheets.append(np.asarray(Image.open(path), float))
    assert sheets[0].shape == sheets[1].shape
    assert np.abs(sheets[0] - sheets[1]).mean() > 10
