"""``latentfu train scorer`` and ``locator``: files that can be used, and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from latentfu_builtin.portraits.cli import train_locator_command
from latentfu_builtin.portraits.locator import load_locator, locate_portrait
from latentfu_builtin.portraits.renderer import FACTOR_NAMES
from latentfu_builtin.portraits.teacher import make_teacher
from latentfu_builtin.scorer.cli import train_scorer_command
from latentfu_builtin.scorer.network import load_scorer
from latentfu_builtin.stylegan.training.pairs import render_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hundred renders of 32 px."""
    folder = tmp_path_factory.mktemp("pairs")
    teacher = make_teacher()
    teacher.supersample = 1
    render_pairs(teacher, folder, count=320, resolution=32, z_dim=40, batch=64)
    return folder


def test_a_scorer_is_trained_and_can_be_gone_on_from(pairs: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    words = ["--pairs", str(pairs), "--images", "64", "--batch", "16", "--threads", "1", "--json"]
    ran = CliRunner().invoke(train_scorer_command, [*words, "-o", str(first)])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["file"] == str(first) and set(told["figures"]) >= set(FACTOR_NAMES)
    again = [*words, "-o", str(second), "--start", str(first), "--weight", "smile=3"]
    assert CliRunner().invoke(train_scorer_command, again).exit_code == 0
    one, other = (load_scorer(path).state_dict() for path in (first, second))
    assert one.keys() == other.keys()
    assert any(not bool((one[name] == other[name]).all()) for name in one)


def test_a_weight_without_a_number_is_told(pairs: Path, tmp_path: Path) -> None:
    words = ["--pairs", str(pairs), "-o", str(tmp_path / "s.safetensors"), "--weight", "smile=much"]
    ran = CliRunner().invoke(train_scorer_command, words)
    assert ran.exit_code == 2 and "smile=much" in ran.output
    assert not list(tmp_path.iterdir())


def test_a_scorer_of_another_renderer_wants_a_name(pairs: Path) -> None:
    ran = CliRunner().invoke(train_scorer_command, ["--pairs", str(pairs), "--renderer", "people"])
    assert ran.exit_code == 2 and "--output" in ran.output


def test_a_locator_is_trained(pairs: Path, tmp_path: Path) -> None:
    path = tmp_path / "locator.safetensors"
    words = ["--pairs", str(pairs), "--scenes", str(tmp_path / "scenes.safetensors")]
    words += [
        "--count",
        "4",
        "--measured",
        "1",
        "--images",
        "32",
        "--threads",
        "1",
        "--json",
        "-o",
        str(path),
    ]
    ran = CliRunner().invoke(train_locator_command, words)
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["file"] == str(path)
    found = locate_portrait(load_locator(path), np.zeros((60, 48, 3), np.uint8))
    assert found.landmarks.shape == (5, 2)
