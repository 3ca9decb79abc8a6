"""How an encoder is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from latentfu import BadInputError


@dataclass(frozen=True)
class EncoderTrainingOptions:
    """Amounts are counted in pictures.

    ``architecture``: pyramid, our own, or a published one (psp, e4e, psp-w, psp-w-plus);
    ``width``: of a published trunk, 1 for its published proportions to the generator's w.
    ``pictures``: how many are looked at in all. ``pool``: rendered pictures kept at a time, of
    which ``fresh`` are rendered anew at each step. ``outside``: the part of a batch that is not
    the generator's own, where there are such pictures. ``seen``: how many of a batch are rendered
    again from the codes found, and compared. ``code``, ``pixel`` (at several sizes), ``l2`` (the
    squared error of pSp), ``perceptual``, ``identity``: weights, the last of how unlike a person
    what is found becomes (needs an identity network). ``measure``: after how many pictures the
    figures are said, 0 for at the end only. ``one_style``: our own gives one code for all layers.
    ``apart``: how far the layers of the generator's own codes are moved apart, in spreads.
    ``photograph``: the part of the pictures that is changed into what a camera and a file make
    of them, for generators of people that are to read photographs.
    """

    architecture: str = "pyramid"
    width: float = 1.0
    pictures: int = 40_000
    batch: int = 64
    rate: float = 2e-3
    pool: int = 3072
    fresh: int = 10
    outside: float = 0.25
    seen: int = 8
    code: float = 1.0
    pixel: float = 10.0
    l2: float = 0.0
    perceptual: float = 1.0
    identity: float = 0.0
    apart: float = 0.15
    photograph: float = 0.0
    measure: int = 0
    one_style: bool = False
    seed: int = 0
    bf16: bool = True

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "width": (0.01, 4.0),
            "pictures": (2, 10**9),
            "batch": (2, 4096),
            "rate": (1e-6, 1.0),
            "pool": (2, 10**6),
            "fresh": (0, 4096),
            "outside": (0.0, 1.0),
            "seen": (0, 4096),
            "l2": (0.0, 1e6),
            "identity": (0.0, 100.0),
            "photograph": (0.0, 1.0),
            "measure": (0, 10**9),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise BadInputError(f"The option {name} is {getattr(self, name)}: {low} to {high}.")

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return max(1, self.pictures // self.batch)

    @property
    def others(self) -> int:
        """How many of a batch are not the generator's own."""
        return round(self.batch * self.outside)

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> EncoderTrainingOptions:
        """What :meth:`to_json` wrote."""
        values = json.loads(text)
        known = {field.name for field in fields(EncoderTrainingOptions)}
        return EncoderTrainingOptions(
            **{name: value for name, value in values.items() if name in known}
        )


def parse_training_options(
    given: tuple[str, ...], defaults: Mapping[str, object] | None = None
) -> dict[str, float | int | bool | str]:
    """NAME=VALUE texts as options; raises BadInputError naming what is not known.

    ``defaults``: of which options, and so their types; None for those of encoders.
    """
    known = asdict(EncoderTrainingOptions()) if defaults is None else defaults
    kinds: dict[str, type] = {name: type(value) for name, value in known.items()}
    found: dict[str, float | int | bool | str] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in kinds:
            raise BadInputError(f"There is no option {name!r}; there are: {', '.join(kinds)}.")
        try:
            kind = kinds[name]
            found[name] = value.lower() in ("1", "true", "yes") if kind is bool else kind(value)
        except ValueError as error:
            raise BadInputError(f"{value!r} is not a value for the option {name}.") from error
    return found
