"""What can be tuned about each inverter, and the presets; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from latentfu import BadInputError, Level

OptionValues = Mapping[str, float | int | str | bool]
SEARCH_DEFAULTS: OptionValues = {
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
    "anchor": "mean",
    "cascade": 0.3,
    "coarse": 1,
    "explore": 0.0,
    "explore_until": 0.75,
    "noise": "no",
    "noise_prior": 1e5,
    "quick_side": 0,
}
_RANGES: Mapping[str, tuple[float, float]] = {
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
    "quick_side": (0, 4096),
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("adam", "sgd", "lbfgs"),
    "units": ("spread", "plain"),
    "noise": ("no", "yes", "auto"),
    "anchor": ("mean", "start"),
}
PIVOTAL_DEFAULTS: OptionValues = {
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
FEATURE_DETAIL_DEFAULTS: OptionValues = {
    "pivot": "auto",
    "pivot_steps": 30,
    "pivot_prior": 8.0,
    "side": 0,
    "steps": 80,
    "rate": 0.2,
    "pixel": 1.0,
    "perceptual": 0.0,
    "size": 0.1,
    "loss": "auto",
    "quick_side": 256,
}


@dataclass(frozen=True)
class SearchOptions:
    """Options of an optimization.

    ``space``: z, w, w+, w++ or auto, the generator's space for editing. ``start``: mean, auto
    (an encoder where there is one, else the mean), the name of an inverter, or a file with a
    latent. ``encoder``: which encoder an inverter of that name asks. ``candidates``: random
    latents tried beside the start, drawn with ``seed``. ``optimizer``: adam, sgd or lbfgs
    (which needs no rate and takes several renders a step). ``rate``: the highest learning rate
    in ``units``: spread (of the generator's own codes along their own axes) or plain; it grows
    over the first ``ramp_up`` of the steps and falls as a cosine over the last ``ramp_down``.
    ``losses``: names and weights. ``prior``: weight of the distance to the generator's own
    codes, and ``anchor`` from where it is measured: the mean, or the start, where that is an
    encoder's and already says what the picture shows. ``cascade``: the part of the steps in which
    only the first ``coarse`` layers move and the others follow their mean. ``explore``: noise on
    the codes, in spreads, falling to 0 at ``explore_until`` of the steps. ``noise``: yes finds
    noise maps too, kept white with the weight ``noise_prior``; auto does where the generator shows
    any. ``quick_side``: pixels of the pictures that the search compares, 0 for the generator's own;
    the result is measured by these.
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
    anchor: str
    cascade: float
    coarse: int
    explore: float
    explore_until: float
    noise: str
    noise_prior: float
    quick_side: int

    @staticmethod
    def of(given: OptionValues) -> SearchOptions:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**SEARCH_DEFAULTS, **given}
        known = {item.name for item in fields(SearchOptions)}
        typed = {
            name: _convert_option(name, value) for name, value in values.items() if name in known
        }
        settings = SearchOptions(**typed)  # type: ignore[arg-type]
        settings.check()
        return settings

    def check(self) -> None:
        """Raise BadInputError when a value cannot be used."""
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise BadInputError(
                    f"The option {name} is {getattr(self, name)}: give {low:g} to {high:g}."
                )
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise BadInputError(
                    f"The option {name} is {getattr(self, name)!r}: give {' or '.join(words)}."
                )


def _convert_option(name: str, value: float | int | str | bool) -> float | int | str | bool:
    """``value`` as the type that the option has; BadInputError when it is none of these."""
    wanted = type(SEARCH_DEFAULTS[name])
    if wanted is bool and isinstance(value, str):
        if value.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise BadInputError(f"The option {name} is {value!r}: give true or false.")
        return value.lower() in ("true", "yes", "1")
    try:
        return wanted(value)
    except ValueError as error:
        kind = {int: "a whole number", float: "a number"}.get(wanted, "a text")
        raise BadInputError(f"The option {name} is {value!r}: give {kind}.") from error


@dataclass(frozen=True)
class Preset:
    """A named set of options. ``levels``: the qualities it can serve."""

    title: str
    description: str
    changes: OptionValues = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)

    @property
    def options(self) -> OptionValues:
        """All options with their values."""
        return {**SEARCH_DEFAULTS, **self.changes}


PRESETS: Mapping[str, Preset] = {
    "w-plus": Preset(
        title="Optimization in W+",
        description="Seconds a picture; starts from the mean and needs no training.",
        changes={"quick_side": 128},
        levels={
            "draft": Level(10, {"steps": 40}),
            "good": Level(10),
            "best": Level(10, {"steps": 500, "quick_side": 256}),
        },
    ),
    "optimise": Preset(
        title="Optimization, every option",
        description="z, w, w+, w++ and noise; Adam or L-BFGS; losses by name and weight.",
        levels={  # for generators without w+
            "draft": Level(5, {"steps": 40}),
            "good": Level(5),
            "best": Level(5, {"steps": 500}),
        },
    ),
    "stylegan-editing": Preset(
        title="As stylegan-editing finds codes",
        description="400 steps of VGG16 and blurred log cosh; coarse layers first.",
        changes={
            "start": "auto",
            "steps": 400,
            "rate": 0.025,
            "ramp_up": 0.0,
            "ramp_down": 0.0,
            "units": "plain",
            "losses": "vgg16:0.4,blurred-log-cosh:1.5",
            "prior": 0.0,
            "cascade": 0.125,
            "coarse": 5,
        },
    ),
    "pytorch-stylegan-encoder": Preset(
        title="As pytorch_stylegan_encoder finds codes",
        description="1000 steps of VGG16's features alone.",
        changes={
            "start": "auto",
            "steps": 1000,
            "optimizer": "sgd",
            "rate": 1.0,
            "ramp_up": 0.0,
            "ramp_down": 0.0,
            "units": "plain",
            "losses": "vgg16:1",
            "prior": 0.0,
            "cascade": 0.0,
        },
    ),
    "stylegan2-projector": Preset(
        title="As the StyleGAN2 projector finds codes",
        description="1000 steps of a perceptual distance with noise on the codes; slow.",
        changes={
            "steps": 1000,
            "rate": 0.1,
            "ramp_up": 0.05,
            "ramp_down": 0.25,
            "units": "plain",
            "losses": "auto:1",
            "prior": 0.0,
            "cascade": 0.0,
            "explore": 0.05,
            "explore_until": 0.75,
            "noise": "auto",
        },
    ),
}


def _check_ranges(plan: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise BadInputError for the first option of ``plan`` outside its range."""
    for name, (low, high) in ranges.items():
        if not low <= getattr(plan, name) <= high:
            raise BadInputError(f"The option {name} is {getattr(plan, name)}: {low} to {high}.")


@dataclass(frozen=True)
class PivotalOptions:
    """Options of pivotal tuning.

    ``pivot``: the inverter that finds the code first; auto for the best that is installed.
    ``rate``: of each weight, as a part of the root mean square of its tensor. ``pixel``,
    ``perceptual``: weights of the terms; ``locality``: of the neighbors' change, looked at
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
    def of(given: OptionValues) -> PivotalOptions:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**PIVOTAL_DEFAULTS, **given}
        typed = {name: type(kind)(values[name]) for name, kind in PIVOTAL_DEFAULTS.items()}
        plan = PivotalOptions(**typed)  # type: ignore[arg-type]
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
        _check_ranges(plan, ranges)
        return plan


@dataclass(frozen=True)
class FeatureDetailOptions:
    """Options of feature-detail.

    ``pivot``: the inverter that finds the code first; auto for the best that is installed.
    ``pivot_steps`` (0: its own), ``pivot_prior`` (-1: its own): of that search, which stays near
    what an encoder says: from there the prior counts. A search that begins at the mean has its own
    steps and a prior of at most 1 towards it. A code near the generator's own obeys edits; what it
    does not show is the detail's task.
    ``side``: pixels of the layer that gets the detail, 0 for half of the picture's, at most 64.
    ``rate``: Adam's, as a part of the spread of the layer's features. ``pixel``, ``perceptual``:
    weights of the terms (on portraits the pixels alone end nearer in the features too, in less
    time); ``size``: of the detail's own mean square, in spreads (a smaller
    detail shows less and leaves edits clearer). ``loss``: the
    perceptual loss by name. ``quick_side``: pixels of the pictures that are compared while the
    detail is looked for, 0 for the generator's own; half of it while the code is.
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
    quick_side: int

    @property
    def for_pivot(self) -> OptionValues:
        """What the search for the code is told, by the names of its options."""
        told: dict[str, float | int | str | bool] = {"quick_side": self.quick_side // 2}
        if self.pivot_steps > 0:
            told["steps"] = self.pivot_steps
        if self.pivot_prior >= 0:
            told |= {"prior": self.pivot_prior, "anchor": "start"}
        return told

    @staticmethod
    def of(given: OptionValues) -> FeatureDetailOptions:
        """The defaults overridden by ``given``; raises BadInputError for senseless values."""
        values = {**FEATURE_DETAIL_DEFAULTS, **given}
        typed = {name: type(kind)(values[name]) for name, kind in FEATURE_DETAIL_DEFAULTS.items()}
        plan = FeatureDetailOptions(**typed)  # type: ignore[arg-type]
        ranges: dict[str, tuple[float, float]] = {
            "pivot_steps": (0, 20_000),
            "pivot_prior": (-1.0, 1e6),
            "side": (0, 16384),
            "steps": (1, 20_000),
            "rate": (1e-6, 10.0),
            "pixel": (0.0, 1e6),
            "perceptual": (0.0, 1e6),
            "size": (0.0, 1e6),
            "quick_side": (0, 4096),
        }
        _check_ranges(plan, ranges)
        return plan
