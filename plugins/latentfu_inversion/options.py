"""What can be tuned about the inverter w-plus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from latentfu import BadInputError

DEFAULTS: Mapping[str, float | int | str | bool] = {
    "steps": 120,
    "shared": 0.3,
    "rate": 0.12,
    "pixel": 1.0,
    "perceptual": 1.0,
    "prior": 0.002,
    "loss": "auto",
    "candidates": 0,
    "seed": 0,
}


@dataclass(frozen=True)
class Options:
    """Options of w-plus.

    ``steps``: optimisation steps. ``shared``: the first part of them moves one code for all
    layers. ``rate``: Adam's highest learning rate, in standard deviations of w. ``pixel``,
    ``perceptual``, ``prior``: weights of the terms. ``loss``: the perceptual loss by name,
    auto for the domain's own. ``candidates``: random latents tried as starting points beside
    the mean; ``seed`` draws them.
    """

    steps: int
    shared: float
    rate: float
    pixel: float
    perceptual: float
    prior: float
    loss: str
    candidates: int
    seed: int

    @staticmethod
    def of(given: Mapping[str, float | int | str | bool]) -> Options:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**DEFAULTS, **given}
        known = {item.name for item in fields(Options)}
        options = Options(**{k: type(DEFAULTS[k])(v) for k, v in values.items() if k in known})  # type: ignore
        options.check()
        return options

    def check(self) -> None:
        """Raise BadInputError when a value can not be used."""
        ranges = {
            "steps": (1, 20_000),
            "shared": (0.0, 1.0),
            "rate": (1e-5, 10.0),
            "pixel": (0.0, 1e6),
            "perceptual": (0.0, 1e6),
            "prior": (0.0, 1e6),
            "candidates": (0, 100_000),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadInputError(f"The option {name} is {value}: give {low} to {high}.")
