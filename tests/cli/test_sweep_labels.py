"""Frames of a sweep that say what a scorer reads of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from PIL import Image

from tests.support.program import Program

TINY = ("--generator", "tiny", "--inverter", "guess")
SCORER = """
import latentfu

def score(images):
    light = images.mean(dim=(2, 3))  # [N, 3]
    import torch
    return torch.stack([light[:, 0], 40 + 100 * light.mean(dim=1)], dim=1)

@latentfu.hookimpl
def latentfu_scorers():
    units = {"age": "years"}
    return [latentfu.Scorer("reads", "Reads", "test", ("red", "age"), lambda device: score, units)]
"""


@pytest.fixture
def scored_house(house: Path) -> Path:
    """The small house with a scorer that counts years."""
    (house / "config" / "plugins" / "reads.py").write_text(SCORER)
    with use_registry(Registry(all_sources())):
        yield house


def test_each_frame_says_what_is_read_of_it(
    scored_house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    plain, labelled = tmp_path / "plain", tmp_path / "labelled"
    sweep = ("sweep", photo, *TINY, "--set", "tilt=-3..3", "--frames", "4", "--json")
    assert latentfu_program(*sweep, "-o", plain).code == 0
    ran = latentfu_program(*sweep, "-o", labelled, "--label", "age")
    assert ran.code == 0, ran.err
    readings = ran.json["readings"]
    assert ran.json["label"] == "age"
    assert len(readings) == 4
    assert len({round(value, 3) for value in readings}) == 4
    for number in range(1, 5):
        before = np.asarray(Image.open(plain / f"{number:04}.png")).astype(int)
        after = np.asarray(Image.open(labelled / f"{number:04}.png")).astype(int)
        differs = np.argwhere((before != after).any(axis=2))
        assert len(differs) > 50
        assert differs[:, 0].min() > 70 * 0.6
        assert np.array_equal(before[..., 3], after[..., 3])
    film = tmp_path / "film.webp"
    assert latentfu_program(*sweep, "-o", film, "--label", "red").code == 0
    with Image.open(film) as opened:
        assert opened.n_frames == 4


def test_what_no_scorer_reads_is_a_sentence(
    scored_house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    sweep = ("sweep", photo, "-o", tmp_path / "out", *TINY, "--set", "tilt=0..2")
    ran = latentfu_program(*sweep, "--label", "height")
    assert ran.code == 1
    assert "No scorer reads 'height'; they read: age, red." in ran.err
    assert not (tmp_path / "out").exists()


def test_where_there_is_no_scorer_it_is_a_sentence(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    sweep = ("sweep", photo, "-o", tmp_path / "out", *TINY, "--set", "tilt=0..2")
    ran = latentfu_program(*sweep, "--label", "age")
    assert ran.code == 1
    assert "No scorer reads pictures of test" in ran.err
