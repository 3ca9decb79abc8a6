"""What can be tuned about the inverter pivotal; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentfu import BadInputError

DEFAULTS: Mapping[str, float | int | str | bool] = {
    "pivot": "auto",
    "steps": 100,
    "rate": 0.01,
    "pixel": 1.0,
    "perceptual": 1.0,
    "locality": 0.5,
    "locality_every": 4,
    "reach": 0.5,
    "rank": 32,
    "loss": "auto",
    "seed": 0,
}


@dataclass(frozen=True)
class Plan:
    """Options of pivotal tuning.

    ``pivot``: the inverter that finds the code first; auto for the best that is installed.
    ``rate``: of each weight, as a part of the root mean square of its tensor. ``pixel``,
    ``perceptual``: weights of the terms; ``locality``: of the neighbours' change, looked at
    every ``locality_every`` steps, ``reach`` of the way to a random code. ``rank``: of each
    shift that is kept, 0 for all of it. ``loss``: the perceptual loss by name.
    """

    pivot: str
    steps: int
    rate: float
    pixel: float
    perceptual: float
    locality: float
    locality_every: int
    reach: float
    rank: int
    loss: str
    seed: int

    @staticmethod
    def of(given: Mapping[str, float | int | str | bool]) -> Plan:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**DEFAULTS, **given}
        plan = Plan(**{name: type(DEFAULTS[name])(values[name]) for name in DEFAULTS})  # type: ignore
        ranges: dict[str, tuple[float, float]] = {
            "steps": (1, 20_000),
            "rate": (1e-6, 1.0),
            "pixel": (0.0, 1e6),
            "perceptual": (0.0, 1e6),
            "locality": (0.0, 1e6),
            "locality_every": (1, 20_000),
            "reach": (0.0, 1.0),
            "rank": (0, 4096),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(plan, name) <= high:
                raise BadInputError(f"The option {name} is {getattr(plan, name)}: {low} to {high}.")
        return plan
