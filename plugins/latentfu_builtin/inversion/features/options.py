"""What can be tuned about the inverter feature-detail; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentfu import BadInputError

DEFAULTS: Mapping[str, float | int | str | bool] = {
    "pivot": "auto",
    "pivot_steps": 30,
    "pivot_prior": 1.0,
    "side": 0,
    "steps": 80,
    "rate": 0.06,
    "pixel": 1.0,
    "perceptual": 0.0,
    "size": 0.1,
    "loss": "auto",
}


@dataclass(frozen=True)
class Plan:
    """Options of feature-detail.

    ``pivot``: the inverter that finds the code first; auto for the best that is installed.
    ``pivot_steps`` (0: its own), ``pivot_prior`` (-1: its own): of that search. A code near the
    generator's own obeys edits; what it does not show is the detail's task.
    ``side``: pixels of the layer that gets the detail, 0 for half of the picture's, at most 64.
    ``rate``: Adam's, as a part of the spread of the layer's features. ``pixel``, ``perceptual``:
    weights of the terms (on portraits the pixels alone end nearer in the features too, in less
    time); ``size``: of the detail's own mean square, in spreads (a smaller
    detail shows less and leaves edits clearer). ``loss``: the
    perceptual loss by name.
    """

    pivot: str
    pivot_steps: int
    pivot_prior: float
    side: int
    steps: int
    rate: float
    pixel: float
    perceptual: float
    size: float
    loss: str

    @property
    def for_pivot(self) -> Mapping[str, float | int | str | bool]:
        """What the search for the code is told, by the names of its options."""
        told: dict[str, float | int | str | bool] = {}
        if self.pivot_steps > 0:
            told["steps"] = self.pivot_steps
        if self.pivot_prior >= 0:
            told["prior"] = self.pivot_prior
        return told

    @staticmethod
    def of(given: Mapping[str, float | int | str | bool]) -> Plan:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**DEFAULTS, **given}
        plan = Plan(**{name: type(DEFAULTS[name])(values[name]) for name in DEFAULTS})  # type: ignore
        ranges: dict[str, tuple[float, float]] = {
            "pivot_steps": (0, 20_000),
            "pivot_prior": (-1.0, 1e6),
            "side": (0, 16384),
            "steps": (1, 20_000),
            "rate": (1e-6, 10.0),
            "pixel": (0.0, 1e6),
            "perceptual": (0.0, 1e6),
            "size": (0.0, 1e6),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(plan, name) <= high:
                raise BadInputError(f"The option {name} is {getattr(plan, name)}: {low} to {high}.")
        return plan
