"""``latentfu directions fit``: a direction from codes and scores that lie in files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import latentfu
import numpy as np
import pytest
from click.testing import CliRunner, Result
from latentfu import LatentFuError, read_direction
from latentfu_builtin.directions.commands.fit import fit_command


def codes_and_scores(folder: Path) -> tuple[Path, Path, np.ndarray]:
    generator = latentfu.open_generator("portraits")
    random = np.random.default_rng(0)
    truth = random.standard_normal(generator.w_dim)
    truth /= np.linalg.norm(truth)
    codes = random.standard_normal((1200, generator.w_dim)).astype(np.float32)
    np.save(folder / "codes.npy", codes)
    lines = [f"{i}.png,{score}" for i, score in enumerate(codes @ truth)]
    (folder / "scores.csv").write_text("\n".join(["file,score", *lines]) + "\n")
    return folder / "codes.npy", folder / "scores.csv", truth


def fit(*arguments: object) -> Result:
    words = [*map(str, arguments), "--generator", "portraits", "--name", "found"]
    return CliRunner().invoke(fit_command, words)


def test_the_direction_points_where_the_scores_rise(tmp_path: Path) -> None:
    codes, scores, truth = codes_and_scores(tmp_path)
    ran = fit(codes, scores, "--ends", 0.3, "--out", tmp_path / "out", "--json")
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.output)
    direction = read_direction(report["file"])
    unit = direction.vector / np.linalg.norm(direction.vector)
    assert direction.space == "w" and float(unit @ truth) > 0.8
    held = report["validation"]
    total = sum(value for name, value in held.items() if name != "accuracy")
    right = held["plus_right"] + held["minus_right"]
    assert held["accuracy"] == pytest.approx(right / total)


def test_what_can_not_be_used_is_one_sentence(tmp_path: Path) -> None:
    codes, scores, _ = codes_and_scores(tmp_path)
    objects, foreign = tmp_path / "objects.npy", tmp_path / "foreign.npy"
    np.save(objects, np.array([os.system, None], dtype=object), allow_pickle=True)
    np.save(foreign, np.ones((1200, 77), np.float32))
    text = tmp_path / "text.csv"
    text.write_text("a\nb\n")
    for arguments, word in (
        ((objects, scores), "read as an array"),
        ((foreign, scores), "fit no space"),
        ((codes, text), "as scores"),
    ):
        ran = fit(*arguments, "--out", tmp_path / "out")
        assert isinstance(ran.exception, LatentFuError) and word in str(ran.exception)
    assert not (tmp_path / "out").exists()
