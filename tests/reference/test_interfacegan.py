"""Boundaries equal those of InterFaceGAN's own code on the same samples and shuffles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from latentfu import BadInputError
from latentfu_builtin.directions.boundaries import (
    interpolate_along,
    project_boundary,
    train_boundary,
)

FOLDER = Path(__file__).parent / "interfacegan"
CASES = json.loads((FOLDER / "train_boundary.json").read_text())["cases"]


@pytest.fixture(scope="module")
def expected() -> Any:
    return np.load(FOLDER / "expected.npz", allow_pickle=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"case{case['case']}")
def test_boundaries(case: dict[str, Any], expected: Any) -> None:
    samples = np.load(FOLDER / case["codes"], allow_pickle=False)
    found = train_boundary(
        samples["codes"],
        samples[case["scores"]],
        case["chosen_num_or_ratio"],
        split=case["split_ratio"],
        invalid=case["invalid_value"],
        seed=case["numpy_random_seed"],
    )
    assert float(found.normal @ expected[case["boundary"]][0]) > 0.9999
    for told, wanted in ((found.validation, "validation"), (found.remaining, "remaining")):
        if case[wanted] is not None:
            assert [told.right, told.total] == pytest.approx(case[wanted], abs=2)
        assert told.right_plus <= told.plus <= told.total


@pytest.mark.parametrize("conditions", range(5))
def test_conditional_projection(conditions: int, expected: Any) -> None:
    others = [expected[f"project_in{i}"] for i in range(1, 1 + conditions)]
    found = project_boundary(expected["project_in0"], *others)
    assert np.allclose(found, expected[f"project_in0_on_{conditions}_conditions"][0], atol=1e-5)
    assert all(abs(float(found @ other[0])) < 1e-5 for other in others)


@pytest.mark.parametrize("kind", ["z", "wp"])
def test_interpolation(kind: str, expected: Any) -> None:
    code, normal = expected[f"interp_{kind}_code"], expected["interp_boundary"]
    plain = interpolate_along(code, normal)
    assert np.allclose(plain, expected[f"interp_{kind}_default"], atol=1e-5)
    some = interpolate_along(code, normal, -2.0, 5.0, 7)
    assert np.allclose(some, expected[f"interp_{kind}_m2_5_7"], atol=1e-5)


def test_w_plus_codes_are_flattened_row_by_row() -> None:
    random = np.random.default_rng(0)
    codes, scores = random.standard_normal((200, 3, 5)), random.standard_normal(200)
    stacked = train_boundary(codes, scores, 0.2)
    flat = train_boundary(codes.reshape(200, 15), scores, 0.2)
    assert np.array_equal(stacked.normal, flat.normal)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scores": np.ones(100)}, "same score"),
        ({"codes": np.full((100, 4), np.nan)}, "finite"),
        ({"scores": np.arange(99.0)}, "one score for each"),
        ({"codes": np.ones((3, 4)), "scores": np.arange(3.0)}, "train on"),
        ({"codes": np.ones((100, 4))}, "do not differ"),
    ],
)
def test_bad_samples_are_one_sentence(change: dict[str, Any], word: str) -> None:
    good = {"codes": np.random.default_rng(0).standard_normal((100, 4)), "scores": np.arange(100.0)}
    with pytest.raises(BadInputError, match=word):
        train_boundary(**(good | change), chosen=0.2)


def test_nothing_left_after_projection() -> None:
    normal = np.eye(4)[0]
    with pytest.raises(BadInputError, match="Nothing"):
        project_boundary(normal, normal)
