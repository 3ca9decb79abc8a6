"""How a conditional mapping is trained; read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from latentfu import BadInputError


@dataclass(frozen=True)
class ConditionalOptions:
    """Amounts are counted in pictures.

    Attributes:
        pictures: How many are looked at in all.
        batch: How many in a step.
        rate: The highest learning rate of the mapping.
        discriminator_rate: That of the discriminator.
        pool: Samples of the generator kept at a time, of which ``fresh`` are drawn anew at each
            step.
        wanted: Weight of the distance to the reference's attributes, in standard deviations.
        kept: Of what happens to the scorer's other attributes.
        identity: Of how unlike the person becomes, where an identity network is installed.
        adversarial: Of the discriminator.
        step: Of the length of the code's own step, in spreads.
        r1_gamma: Of the discriminator's gradient at the generator's own pictures.
        apart: How far the layers of the codes are moved apart, in spreads, so that codes which
            an inversion found are understood too.
        width: Numbers of a token between the blocks.
        blocks: How many there are.
        seed: Of everything that is drawn at random.
        bf16: Quick arithmetic where the device has it.
    """

    pictures: int = 20_000
    batch: int = 8
    rate: float = 1e-3
    discriminator_rate: float = 1e-3
    pool: int = 1024
    fresh: int = 2
    wanted: float = 1.0
    kept: float = 0.5
    identity: float = 0.5
    adversarial: float = 0.05
    step: float = 0.05
    r1_gamma: float = 1.0
    apart: float = 0.15
    width: int = 256
    blocks: int = 3
    seed: int = 0
    bf16: bool = True

    def __post_init__(self) -> None:
        ranges: Mapping[str, tuple[float, float]] = {
            "pictures": (2, 10**9), "batch": (2, 1024), "rate": (1e-7, 1.0),
            "discriminator_rate": (1e-7, 1.0), "pool": (4, 10**6), "fresh": (0, 4096),
            "wanted": (0.0, 1e4), "kept": (0.0, 1e4), "identity": (0.0, 1e4),
            "adversarial": (0.0, 1e4), "step": (0.0, 1e4), "r1_gamma": (0.0, 1e4),
            "apart": (0.0, 10.0), "width": (16, 8192), "blocks": (1, 32),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadInputError(f"The option {name} is {value}: give {low:g} to {high:g}.")
        if self.width % 16:
            raise BadInputError(f"The option width is {self.width}: give a multiple of 16.")

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return max(1, self.pictures // self.batch)

    def to_json(self) -> str:
        """One line of JSON, for a file's header."""
        return json.dumps(asdict(self), sort_keys=True)
