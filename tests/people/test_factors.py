"""The factors of people: ranges, normal numbers, what goes together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import BadInputError
from latentfu_builtin.people.factors import (
    PERSON_FACTORS,
    check_factors,
    draw_person,
    factors_from_normal,
    factors_to_normal,
    sample_factors,
)


def test_normal_numbers_and_factors_map_both_ways() -> None:
    z = np.clip(np.random.default_rng(0).standard_normal(len(PERSON_FACTORS)), -2.5, 2.5)
    assert np.allclose(factors_to_normal(factors_from_normal(z)), z, atol=1e-4)


def test_every_sample_lies_in_its_range() -> None:
    for seed in range(50):
        person = sample_factors(seed)
        assert check_factors(person) == person


def test_things_are_as_frequent_as_the_table_says() -> None:
    people = [sample_factors(seed) for seed in range(1500)]
    for name in ("glasses", "hat", "mouth_open", "fringe"):
        share = next(f.share for f in PERSON_FACTORS if f.name == name)
        assert abs(np.mean([p[name] > 0 for p in people]) - share) < 0.05


def test_only_men_have_beards() -> None:
    people = [sample_factors(seed) for seed in range(500)]
    for name in ("beard", "moustache", "bald", "stubble"):
        assert not any(p[name] > 0 and p["gender"] < -0.15 for p in people)
    assert any(p["beard"] > 0 for p in people)


def test_a_wrong_name_or_number_is_told() -> None:
    with pytest.raises(BadInputError, match="no factor 'nimbus'"):
        check_factors({"nimbus": 1.0})
    with pytest.raises(BadInputError, match="age goes from 16 to 90"):
        check_factors({"age": 7.0})


@given(st.integers(0, 10_000), st.integers(0, len(PERSON_FACTORS) - 1))
@settings(max_examples=60, deadline=None)
def test_a_little_more_of_one_number_is_a_little_more_of_each_factor(seed: int, which: int) -> None:
    z = np.random.default_rng(seed).standard_normal(len(PERSON_FACTORS))
    nudged = z.copy()
    nudged[which] += 1e-4
    before, after = draw_person(z), draw_person(nudged)
    for factor in PERSON_FACTORS:
        change = abs(after[factor.name] - before[factor.name])
        assert change < 1e-2 * (factor.high - factor.low), factor.name


def test_ancestries_are_shares() -> None:
    for seed in range(50):
        person = sample_factors(seed)
        assert sum(person[name] for name in ("african", "asian", "caucasian")) == pytest.approx(1)


def test_there_are_as_many_numbers_as_the_network_takes() -> None:
    assert len(PERSON_FACTORS) == 96
