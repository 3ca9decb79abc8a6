"""Which regions each factor of the people renderer changes, measured on pairs of renders.

The built-in directions are named after these factors. A network's own pictures would also show
what its directions drag along, such as clothes that change with the age.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from latentfu import measure_region_changes

from latentfu_builtin.people.region_names import REGIONS

_SEED = 910_000
_APART = 0.5
"""The two values of a factor lie so many parts of its range from each other."""
_WORN = 0.6
_COVERS = ("hat", "glasses")


def measure_factor_changes(
    people: int, size: int, say: Callable[[float, str], None] = lambda *_: None
) -> dict[str, dict[str, float]]:
    """For each factor the mean change in each region, in levels, over so many people.

    A region counts as it lies before or after. Raises NotInstalledError without the renderer.
    """
    from latentfu_builtin.people.factors import PERSON_FACTORS, PersonFactor, sample_factors
    from latentfu_builtin.people.renderer import PeopleRenderer

    renderer = PeopleRenderer(size)
    persons = [{**sample_factors(_SEED + n), **dict.fromkeys(_COVERS, -1.0)} for n in range(people)]
    bases = [renderer.render(p, _SEED + n, with_truth=True) for n, p in enumerate(persons)]

    def draw_pair(factor: PersonFactor, number: int) -> tuple[Any, Any]:
        value = _move_factor(factor, persons[number][factor.name])
        moved = {**persons[number], factor.name: value}
        return bases[number], renderer.render(moved, _SEED + number, with_truth=True)

    found = {}
    for place, factor in enumerate(PERSON_FACTORS):
        say(place / len(PERSON_FACTORS), f"Measuring {factor.name}")
        found[factor.name] = _mean_changes([draw_pair(factor, number) for number in range(people)])
    return found


def _move_factor(factor: Any, value: float) -> float:
    """Another value of a factor: half its range away, or the thing put on or taken off."""
    if factor.kind == "on-off":
        return float(factor.low if value > 0 else _WORN)
    middle, span = (factor.low + factor.high) / 2, factor.high - factor.low
    return float(value + (-_APART if value > middle else _APART) * span)


def _mean_changes(pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    """The mean change in each region over pairs of pictures with their truth."""
    levels: dict[str, list[float]] = {}
    for first, second in pairs:
        maps = tuple(
            np.asarray(each.regions).reshape(each.pixels.shape[:2]) for each in (first, second)
        )
        change = measure_region_changes((first.pixels, second.pixels), (maps[0], maps[1]), REGIONS)
        for name, level in change.items():
            levels.setdefault(name, []).append(level)
    return {name: round(float(np.mean(each)), 2) for name, each in levels.items()}
