"""Edits by chance, gentle enough that a portrait stays a portrait."""

from __future__ import annotations

import random
from collections.abc import Mapping

MOVED = 4
"""So many controls move at once."""
GENTLE = 1.0
"""No control goes further, in standard deviations, and none beyond half of its own range."""


def choose_gently(
    limits: Mapping[str, tuple[float, float]], chance: random.Random | None = None
) -> dict[str, float]:
    """Strengths for a few controls, from the lowest and the highest of each by name."""
    chance = chance or random.Random()
    names = chance.sample(sorted(limits), min(MOVED, len(limits)))
    edits = {}
    for name in names:
        low, high = (min(max(end / 2, -GENTLE), GENTLE) for end in limits[name])
        edits[name] = round(chance.uniform(low, high), 2)
    return edits
