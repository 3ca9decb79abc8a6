"""The factors of people: ranges, normal numbers, what goes together."""

from __future__ import annotations

import numpy as np
import pytest
from latentfu import BadInputError
from latentfu_builtin.people.factors import (
    PERSON_FACTORS,
    check_factors,
    default_factors,
    factors_from_normal,
    factors_to_normal,
    make_person,
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


def test_beards_and_bald_heads_are_mens() -> None:
    people = [sample_factors(seed) for seed in range(1500)]
    men = [p for p in people if p["gender"] > 0.5]
    women = [p for p in people if p["gender"] < -0.5]
    for name in ("beard", "moustache", "stubble", "bald"):
        assert np.mean([p[name] > 0 for p in women]) < 0.01
        assert np.mean([p[name] > 0 for p in men]) > 0.05
    for name in ("lipstick", "eye_makeup"):
        assert np.mean([p[name] > 0 for p in men]) < 0.02
        assert np.mean([p[name] > 0 for p in women]) > 0.15


def test_colors_go_together() -> None:
    people = [sample_factors(seed) for seed in range(1500)]
    dark = [p for p in people if p["skin_tone"] > 0.6]
    fair = [p for p in people if p["skin_tone"] < -0.6]
    assert len(dark) > 100 and len(fair) > 100
    for name in ("hair_lightness", "eye_color"):
        assert np.mean([p[name] for p in dark]) < np.mean([p[name] for p in fair]) - 0.3
    assert np.mean([p["african"] for p in dark]) > 0.7


def test_one_loud_grimace_at_a_time() -> None:
    loud = ("laugh", "surprise", "sneer", "pucker", "frown", "wink_left", "wink_right")
    shown = [[p[n] > 0.05 for n in loud] for p in map(sample_factors, range(1500))]
    together = np.array([sum(row) for row in shown])
    assert (together > 1).mean() < 0.03  # two as loud as each other show halfway
    assert together.max() <= 2
    assert all(np.mean(shown, axis=0) > 0.01)


def test_a_small_change_of_z_is_a_small_change_of_the_person() -> None:
    random = np.random.default_rng(0)
    span = np.array([f.high - f.low for f in PERSON_FACTORS])
    for _ in range(200):
        z, step = random.standard_normal((2, len(PERSON_FACTORS)))
        step *= 1e-4 / np.linalg.norm(step)
        before, after = (np.array(list(make_person(x).values())) for x in (z, z + step))
        assert np.abs((after - before) / span).max() < 1e-3


def test_the_table_has_96_factors_each_with_a_name_of_its_own() -> None:
    assert len({f.name for f in PERSON_FACTORS}) == len(PERSON_FACTORS) == 96
    assert list(default_factors()) == list(make_person(np.zeros(96)))


def test_a_wrong_name_or_number_is_told() -> None:
    with pytest.raises(BadInputError, match="no factor 'nimbus'"):
        check_factors({"nimbus": 1.0})
    with pytest.raises(BadInputError, match="age goes from 16 to 90"):
        check_factors({"age": 7.0})
