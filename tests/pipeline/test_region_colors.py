"""Colors that an edit drags along are taken back, its structure and its own colors stay."""

from __future__ import annotations

import latentfu
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.pipeline.region_colors import SPARE_LEVELS, allow_shifts, limit_shifts
from latentfu.pipeline.region_map import RegionMap
from latentfu_builtin.regions.network import read_changes

_SIDE = 96
_NAMES = ("background", "skin", "hair")
_SHIFTS = st.tuples(*[st.floats(-60, 60, allow_nan=False)] * 3)


def _make_map() -> RegionMap:
    """A face of skin with hair above it."""
    parts = np.zeros((3, _SIDE, _SIDE), np.float32)
    parts[0], parts[1, 30:80, 20:76], parts[2, 8:30, 20:76] = 1.0, 1.0, 1.0
    parts[0, 8:80, 20:76] = 0.0
    return RegionMap(_NAMES, parts, 0.9)


def _make_picture(seed: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (3, _SIDE, _SIDE))
    return noise.astype(np.float32)


def _shift_region(picture: np.ndarray, row: int, levels: tuple[float, ...]) -> np.ndarray:
    region = _make_map().parts[row]
    change = np.array(levels, np.float32)[:, None, None] / 127.5
    return np.asarray(picture + region * change, np.float32)


def _measure_shift(edited: np.ndarray, inverted: np.ndarray, row: int) -> float:
    """Levels by which the inside of a region changed color."""
    inside = np.s_[:, 42:68, 32:64] if row == 1 else np.s_[:, 14:24, 32:64]
    change = 127.5 * (edited - inverted)[inside]
    return float(np.abs(change.mean(axis=(1, 2))).mean())


@given(_SHIFTS, st.floats(0, 40))
@settings(max_examples=25)
def test_no_color_of_a_region_moves_further_than_allowed(
    levels: tuple[float, ...], allowed: float
) -> None:
    inverted, map_ = _make_picture(), _make_map()
    edited = _shift_region(inverted, 1, levels)
    limited = limit_shifts(edited, inverted, (map_, map_), {"skin": allowed})
    asked, got = _measure_shift(edited, inverted, 1), _measure_shift(limited, inverted, 1)
    assert got <= allowed + SPARE_LEVELS + 1.0
    assert got >= 0.9 * min(asked, allowed) - 1.0


def test_structure_stays_where_a_color_is_taken_back() -> None:
    inverted, map_ = _make_picture(), _make_map()
    wrinkles = np.zeros((3, _SIDE, _SIDE), np.float32)
    wrinkles[:, 45:65:4, 30:66] = -30 / 127.5
    wrinkles[:, 47:67:4, 30:66] = 30 / 127.5
    edited = _shift_region(inverted, 1, (0, -30, -45)) + wrinkles
    limited = limit_shifts(edited, inverted, (map_, map_), {})
    fine = (limited - inverted)[:, 44:68, 34:62]
    fine -= fine.mean(axis=(1, 2), keepdims=True)
    assert np.corrcoef(fine.ravel(), wrinkles[:, 44:68, 34:62].ravel())[0, 1] > 0.97
    assert _measure_shift(limited, inverted, 1) < SPARE_LEVELS + 1.0


def test_an_edit_within_its_limits_is_not_touched() -> None:
    inverted, map_ = _make_picture(), _make_map()
    edited = _shift_region(inverted, 2, (20, 20, 20))
    assert np.array_equal(limit_shifts(edited, inverted, (map_, map_), {"hair": 40}), edited)


def test_the_age_may_gray_the_hair_and_hardly_color_the_skin() -> None:
    age = latentfu.controls("portraits")["age"]
    allowed = allow_shifts([(age, 2.0)], read_changes())
    assert allowed is not None and allowed["hair"] > 30 > 12 > allowed["skin"]
    smaller = allow_shifts([(age, -1.0)], read_changes())
    assert smaller is not None and np.isclose(smaller["hair"], allowed["hair"] / 2)


def test_nothing_is_limited_for_a_control_that_was_not_measured() -> None:
    control = latentfu.controls("portraits")["age"]
    assert allow_shifts([(control, 1.0)], {}) is None


def test_an_uncovered_background_takes_the_color_it_has_nearby() -> None:
    before, inverted = _make_map(), np.full((3, _SIDE, _SIDE), 0.2, np.float32)
    parts = before.parts.copy()
    parts[0, :, 62:76] = 1.0  # the head turned away from here
    parts[1:, :, 62:76] = 0.0
    edited = inverted.copy()
    edited[2, 8:80, 62:76] -= 40 / 127.5
    limited = limit_shifts(edited, inverted, (before, RegionMap(_NAMES, parts, 0.9)), {})
    uncovered = np.s_[:, 30:60, 65:73]
    dragged, left = (np.abs((each - inverted)[uncovered]).mean() for each in (edited, limited))
    assert 127.5 * dragged > 12 and left < 0.5 * dragged
