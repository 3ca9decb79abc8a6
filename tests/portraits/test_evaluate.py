"""``latentfu evaluate portraits``: figures that tell good from bad, and their place in a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu_builtin.portraits.cli import evaluate_portraits_command
from latentfu_builtin.portraits.evaluate.measures import (
    frechet_distance,
    measure_memorizing,
    measure_overlap,
)
from latentfu_builtin.portraits.evaluate.report import FIGURES_BEGIN, FIGURES_END


def draws(n: int, seed: int, move: float = 0.0) -> torch.Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)) + move


@settings(max_examples=10, deadline=None)
@given(move=st.floats(0.0, 5.0), scale=st.floats(0.5, 2.0))
def test_frechet_distance_is_that_of_normal_distributions(move: float, scale: float) -> None:
    a = draws(4000, 0)
    b = a * scale + move
    # The same samples moved and scaled: the distance is known without sampling error.
    spread = torch.cov(a.T).trace() * (scale - 1) ** 2
    mean = (a.mean(dim=0) * (scale - 1) + move).square().sum()
    assert frechet_distance(a, b) == pytest.approx(float(spread + mean), rel=1e-3, abs=1e-3)


def test_two_draws_of_one_thing_cover_each_other() -> None:
    same = measure_overlap(draws(600, 0), draws(600, 1))
    assert min(same.precision, same.recall, same.coverage) > 0.85
    assert same.density == pytest.approx(1.0, abs=0.2)


def test_a_poor_copy_is_told_by_precision_and_a_narrow_one_by_recall() -> None:
    real = draws(600, 0)
    poor = measure_overlap(real, draws(600, 1, move=6.0))
    narrow = measure_overlap(real, 0.1 * draws(600, 1))
    assert poor.precision < 0.1 and poor.coverage < 0.1
    assert narrow.precision > 0.9 and narrow.recall < 0.3


def test_repeated_training_pictures_are_noticed() -> None:
    known, fresh = draws(500, 0), draws(200, 1)
    assert measure_memorizing(draws(200, 2), fresh, known) == pytest.approx(1.0, abs=0.2)
    assert measure_memorizing(known[:200] + 0.01, fresh, known) < 0.1


def test_the_command_writes_its_figures_into_the_card(tmp_path: Path) -> None:
    card, out = tmp_path / "card.md", tmp_path / "figures.json"
    card.write_text(f"# Card\n{FIGURES_BEGIN}\nold\n{FIGURES_END}\nthe rest\n")
    ran = CliRunner().invoke(
        evaluate_portraits_command,
        ["--samples", "32", "--card", str(card), "-o", str(out)],
        catch_exceptions=False,
    )
    assert ran.exit_code == 0, ran.output
    figures = json.loads(out.read_text())
    assert figures["frechet"] > 0 and set(figures["attributes"]) == set(figures["readable"])
    text = card.read_text()
    assert "old" not in text and text.endswith("the rest\n")
    assert f"{figures['frechet']:.2f}" in text
