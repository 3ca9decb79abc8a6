"""Where the codes draw other regions than the layer shows, the layer's own count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.pipeline.codes_edit import CodesEdit, RegionFit
from latentfu.pipeline.motion import find_motion
from latentfu.pipeline.region_map import RegionMap
from latentfu.pipeline.region_mismatch import (
    carry_colors,
    find_mismatch,
    find_staying,
    recolor_regions,
)

SIDE = 96
NAMES = ("background", "skin", "hair", "mouth")
COLORS = {"background": (-0.6, -0.2, 0.5), "skin": (0.6, 0.3, 0.1), "hair": (-0.8, -0.85, -0.9)}
Colors = Mapping[str, tuple[float, float, float]]


def _make_map(hair: tuple[int, int]) -> RegionMap:
    """A face of skin, a mouth in it, and hair of these columns above."""
    parts = np.zeros((4, SIDE, SIDE), np.float32)
    parts[1, 36:84, 28:68] = 1.0
    parts[2, 8:36, hair[0] : hair[1]] = 1.0
    parts[3, 66:70, 42:54] = 1.0
    parts[1] -= parts[3]
    parts[0] = 1.0 - parts[1:].sum(0)
    return RegionMap(NAMES, parts, 0.9)


def _paint(regions: RegionMap, colors: Colors) -> np.ndarray:
    shown = {**colors, "mouth": (0.4, -0.4, -0.4)}
    rows = [
        np.array(shown[name], np.float32)[:, None, None] * regions.weigh([name]) for name in NAMES
    ]
    return np.asarray(sum(rows), np.float32)


NARROW, WIDE = _make_map((34, 62)), _make_map((14, 82))
BESIDE = np.s_[14:30, 66:78]  # hair of the wide cut alone
GRAY = {**COLORS, "hair": (0.5, 0.5, 0.5)}


def test_regions_that_agree_mismatch_nowhere() -> None:
    assert find_mismatch(WIDE, WIDE).max() < 1e-6
    codes = _paint(WIDE, COLORS), _paint(WIDE, GRAY)
    assert np.abs(carry_colors(codes, (WIDE, WIDE), WIDE, find_mismatch(WIDE, WIDE))).max() < 1e-6


def test_a_small_region_may_lie_elsewhere() -> None:
    moved = RegionMap(NAMES, np.roll(WIDE.parts, 4, axis=1), 0.9)
    other = WIDE.parts.copy()
    other[1] += other[3]
    other[3] = 0.0
    assert find_mismatch(RegionMap(NAMES, other, 0.9), WIDE).max() < 1e-6
    assert find_mismatch(moved, WIDE).max() > 0.5  # the hair's border did move


@settings(max_examples=20)
@given(st.tuples(*[st.floats(-0.9, 0.9)] * 3))
def test_hair_of_a_wider_cut_takes_the_color_of_the_hair(color: tuple[float, float, float]) -> None:
    codes = _paint(NARROW, COLORS), _paint(NARROW, {**COLORS, "hair": color})
    mismatch = find_mismatch(WIDE, NARROW)
    assert mismatch[BESIDE].min() > 0.9
    more = carry_colors(codes, (NARROW, NARROW), WIDE, mismatch)
    meant = np.array(color) - np.array(COLORS["hair"])
    found = more[(slice(None), *BESIDE)].mean((1, 2))
    assert np.abs(found - meant).max() < 0.15 * np.abs(meant).max() + 0.02


def test_background_is_left_alone_where_the_codes_have_hair() -> None:
    codes = _paint(WIDE, COLORS), _paint(WIDE, GRAY)
    mismatch = find_mismatch(NARROW, WIDE)
    more = carry_colors(codes, (WIDE, WIDE), NARROW, mismatch)
    changed = codes[1] - codes[0] + more
    assert np.abs(changed[(slice(None), *BESIDE)]).max() < 0.1
    inside = np.s_[:, 14:30, 40:56]
    assert np.abs(changed[inside] - (codes[1] - codes[0])[inside]).max() < 0.05


def test_what_a_turn_uncovers_has_the_layers_colors() -> None:
    seen = {"background": (0.7, 0.7, 0.2), "skin": (0.2, 0.0, -0.2), "hair": (0.5, 0.2, -0.6)}
    layer, drawn = _paint(NARROW, seen), _paint(WIDE, COLORS)
    shown = recolor_regions(drawn, WIDE, layer, NARROW)
    assert np.abs(shown - _paint(WIDE, seen))[:, 14:30, 20:76].mean() < 0.1


def test_dark_hair_that_becomes_light_moves_nowhere() -> None:
    before, after = _paint(WIDE, COLORS), _paint(WIDE, GRAY)
    stays = find_staying(WIDE, WIDE, ("background", "hair"))
    assert stays[20, 48] == 1.0 and stays[50, 48] == 0.0
    rim = np.s_[4:12, 20:76]
    plain = find_motion(CodesEdit(before, after))
    nothing = np.zeros_like(stays)
    fit = RegionFit(nothing, stays, nothing, before, after)
    known = find_motion(CodesEdit(before, after, regions=fit))

    def reach(flow: np.ndarray) -> float:
        scaled = flow[np.ix_(range(0, 256, 2), range(0, 256, 2))]
        return float(np.abs(scaled[5:16, 26:100]).max())

    assert rim and reach(known.flow) <= reach(plain.flow)
    assert reach(known.flow) < 0.01
    middle = known.turned[40:60, 110:150]
    assert middle.min() > 0.5
