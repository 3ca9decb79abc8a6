"""The commands that make the parser and the table of changes again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from latentfu.cli.main import run
from latentfu_builtin.people.factors import PERSON_FACTOR_NAMES
from latentfu_builtin.regions.network import load_parser

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_parser_is_trained_from_pairs_and_can_be_loaded(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "parser.safetensors"
    few = ["--images", "4", "--batch", "2", "--holdout", "2", "--threads", "1"]
    where = ["--pairs", str(pairs), "--state", str(tmp_path / "state"), "-o", str(file)]
    assert run(["train", "parser", *where, *few, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(file) and set(told["figures"]) == {"renders", "changed"}
    assert 0 <= told["figures"]["renders"]["background"] <= 1
    load_parser(file)
    assert json.loads(file.with_suffix(".json").read_text())["renders"] == 6


def test_a_folder_without_pairs_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "parser", "--pairs", str(tmp_path)]) == 1
    assert "latentfu train pairs --renderer people --regions" in capsys.readouterr().err


def test_the_table_of_changes_is_measured_again(pairs: Path, tmp_path: Path) -> None:
    file = tmp_path / "changes.json"
    assert run(["train", "region-changes", "--people", "1", "--size", "48", "-o", str(file)]) == 0
    changes = json.loads(file.read_text())["changes"]
    assert set(changes) == set(PERSON_FACTOR_NAMES)
    assert changes["skin_tone"]["skin"] > 10 > changes["skin_tone"]["background"]
    assert changes["clothes_light"]["clothes"] > 10 > changes["clothes_light"]["skin"]
