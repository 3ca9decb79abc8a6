"""Edits by chance: few at once, and none far."""

from __future__ import annotations

import random

from latentfu_gimp.random_edits import GENTLE, MOVED, choose_gently


def test_few_controls_move_and_none_beyond_half_of_its_range() -> None:
    limits = {f"c{number}": (-3.0, 3.0) for number in range(30)} | {"narrow": (0.0, 0.5)}
    seen = set()
    for seed in range(200):
        edits = choose_gently(limits, random.Random(seed))
        assert len(edits) == MOVED and set(edits) <= set(limits)
        assert all(abs(strength) <= GENTLE for strength in edits.values())
        assert 0.0 <= edits.get("narrow", 0.0) <= 0.25
        seen |= set(edits)
    assert seen == set(limits), "every control has its turn"


def test_a_network_of_few_controls_moves_those() -> None:
    assert set(choose_gently({"one": (-1.0, 1.0)})) == {"one"}
    assert choose_gently({}) == {}
