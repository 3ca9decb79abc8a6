"""What can be tuned about the optimisation; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from latentfu import BadInputError

Values = Mapping[str, float | int | str | bool]

DEFAULTS: Values = {
    "space": "auto",
    "start": "mean",
    "encoder": "auto",
    "candidates": 0,
    "seed": 0,
    "steps": 120,
    "optimizer": "adam",
    "rate": 0.12,
    "ramp_up": 0.05,
    "ramp_down": 0.35,
    "units": "spread",
    "losses": "pixels:1,auto:1",
    "vgg_layer": 12,
    "backbone": "",
    "prior": 0.002,
    "cascade": 0.3,
    "coarse": 1,
    "explore": 0.0,
    "explore_until": 0.75,
    "noise": "no",
    "noise_prior": 1e5,
}

RANGES: Mapping[str, tuple[float, float]] = {
    "candidates": (0, 100_000),
    "steps": (1, 20_000),
    "rate": (1e-5, 100.0),
    "ramp_up": (0.0, 1.0),
    "ramp_down": (0.0, 1.0),
    "vgg_layer": (1, 30),
    "prior": (0.0, 1e6),
    "cascade": (0.0, 1.0),
    "coarse": (1, 64),
    "explore": (0.0, 10.0),
    "explore_until": (0.0, 1.0),
    "noise_prior": (0.0, 1e9),
}

WORDS: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("adam", "sgd", "lbfgs"),
    "units": ("spread", "plain"),
    "noise": ("no", "yes", "auto"),
}


@dataclass(frozen=True)
class Settings:
    """Options of an optimisation.

    ``space``: z, w, w+, w++ or auto, the generator's space for editing. ``start``: mean, auto
    (an encoder where there is one, else the mean), the name of an inverter, or a file with a
    latent. ``encoder``: which encoder an inverter of that name asks. ``candidates``: random
    latents tried beside the start, drawn with ``seed``. ``optimizer``: adam, sgd or lbfgs
    (which needs no rate and takes several renders a step). ``rate``: the highest learning rate
    in ``units``: spread (of the generator's own codes along their own axes) or plain; it grows
    over the first ``ramp_up`` of the steps and falls as a cosine over the last ``ramp_down``.
    ``losses``: names and weights. ``prior``: weight of the distance to the generator's own
    codes. ``cascade``: the part of the steps in which only the first ``coarse`` layers move and
    the others follow their mean. ``explore``: noise on the codes, in spreads, falling to 0 at
    ``explore_until`` of the steps. ``noise``: yes finds noise maps too, kept white with the
    weight ``noise_prior``; auto does where the generator shows any.
    """

    space: str
    start: str
    encoder: str
    candidates: int
    seed: int
    steps: int
    optimizer: str
    rate: float
    ramp_up: float
    ramp_down: float
    units: str
    losses: str
    vgg_layer: int
    backbone: str
    prior: float
    cascade: float
    coarse: int
    explore: float
    explore_until: float
    noise: str
    noise_prior: float

    @staticmethod
    def of(given: Values) -> Settings:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**DEFAULTS, **given}
        known = {item.name for item in fields(Settings)}
        typed = {name: as_type(name, value) for name, value in values.items() if name in known}
        settings = Settings(**typed)  # type: ignore[arg-type]
        settings.check()
        return settings

    def check(self) -> None:
        """Raise BadInputError when a value can not be used."""
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise BadInputError(
                    f"The option {name} is {getattr(self, name)}: give {low:g} to {high:g}."
                )
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise BadInputError(
                    f"The option {name} is {getattr(self, name)!r}: give {' or '.join(words)}."
                )


def as_type(name: str, value: float | int | str | bool) -> float | int | str | bool:
    """``value`` as the type that the option has; BadInputError when it is none of these."""
    wanted = type(DEFAULTS[name])
    if wanted is bool and isinstance(value, str):
        if value.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise BadInputError(f"The option {name} is {value!r}: give true or false.")
        return value.lower() in ("true", "yes", "1")
    try:
        return wanted(value)
    except ValueError as error:
        kind = {int: "a whole number", float: "a number"}.get(wanted, "a text")
        raise BadInputError(f"The option {name} is {value!r}: give {kind}.") from error
