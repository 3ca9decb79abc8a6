"""What can be tuned in a training of deformations."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from latentfu import BadInputError

QUICK_SETTINGS = {
    "predictor": "small",
    "together": 4,
    "rehearsals": 12,
    "memory": 2048,
    "rate": 0.003,
    "predictor_rate": 0.001,
    "label_weight": 2.5,
    "stretch": 1.75,
    "psi": 0.8,
}
"""What lets a processor learn a few directions within half an hour .

How it was measured: docs/explanation/measurements.md.
"""
PAPER_SETTINGS = {
    "hessian": {"shift_scale": 60.0, "min_shift": 15.0, "shift_weight": 0.25},
    "svd": {"shift_scale": 3500.0, "min_shift": 300.0, "shift_weight": 0.0025},
}
"""The figures that the paper's authors give for StyleGAN2 config-f."""


@dataclass(frozen=True)
class DeformationTrainingOptions:
    """The defaults are those of the paper's code; one that is 0 depends on basis and network.

    ``basis``: vectors that the directions are made of (0: all that the SVD has, or as many
    eigenvectors as directions). Shifts are drawn evenly from -``shift_scale``..``shift_scale``,
    those nearer to 0 than ``min_shift`` moved out to it; both are norms of the whole kernel's
    shift. ``stretch``: how many times a clear change the scale is, where none is given.
    ``shift_weight`` weighs the error of the predicted shift. ``predictor``: "resnet" or
    "small"; it sees pictures of ``side`` pixels. ``psi``: truncation of the samples.

    For machines that draw slowly: ``together`` samples of a batch get the same deformation and
    are drawn at once; after each step the predictor alone takes ``rehearsals`` steps more, on
    pictures of the last ``memory`` ones (they are drawn again after an interruption).
    """

    count: int = 64
    basis: int = 0
    steps: int = 100_000
    batch: int = 32
    rate: float = 1e-4
    predictor_rate: float = 1e-4
    label_weight: float = 1.0
    shift_weight: float = 0.0
    shift_scale: float = 0.0
    min_shift: float = 0.0
    stretch: float = 1.0
    predictor: str = "resnet"
    side: int = 64
    psi: float = 1.0
    seed: int = 0
    together: int = 1
    rehearsals: int = 0
    memory: int = 1024

    def __post_init__(self) -> None:
        if min(self.count, self.steps, self.batch, self.side) < 1 or self.basis < 0:
            raise BadInputError("count, steps, batch and side must be at least 1.")
        if self.together < 1 or self.batch % self.together:
            raise BadInputError(
                f"together is {self.together}: it must divide the batch ({self.batch})."
            )
        if self.rehearsals < 0 or self.memory < self.batch:
            raise BadInputError("rehearsals must not be below 0, nor memory below the batch.")
        if min(self.rate, self.predictor_rate, self.stretch) <= 0:
            raise BadInputError("rate, predictor_rate and stretch must be above 0.")
        if min(self.shift_scale, self.min_shift, self.shift_weight, self.label_weight) < 0:
            raise BadInputError("shifts and weights must not be below 0.")
        if self.shift_scale and self.min_shift >= self.shift_scale:
            raise BadInputError(
                f"min_shift is {self.min_shift}: it must be below shift_scale ({self.shift_scale})."
            )
        if self.predictor not in ("resnet", "small"):
            raise BadInputError(f"There is no predictor {self.predictor!r}: resnet or small.")

    def fill(self, method: str, measured: float) -> DeformationTrainingOptions:
        """With what depends on the basis; ``measured``: the norm of a clear change.

        The paper's figures for one network are kept as proportions: shifts from a quarter (in
        the Hessian's basis) or a twelfth (the SVD's) of the scale on, and the same balance
        between the two losses.
        """
        scale = self.shift_scale or measured * self.stretch
        nearest, balance = (1 / 4, 0.25 * 60) if method == "hessian" else (300 / 3500, 8.75)
        return replace(
            self,
            shift_scale=scale,
            min_shift=self.min_shift or scale * nearest,
            shift_weight=self.shift_weight or balance / scale,
        )

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_settings(
        settings: dict[str, str], base: DeformationTrainingOptions
    ) -> DeformationTrainingOptions:
        """``base`` with ``NAME=VALUE`` texts over it; BadInputError for unknown names or values."""
        kinds = {
            item.name: type(getattr(base, item.name)) for item in fields(DeformationTrainingOptions)
        }
        values: dict[str, Any] = {}
        for name, text in settings.items():
            if name not in kinds:
                raise BadInputError(f"There is no option {name!r}: choose of {', '.join(kinds)}.")
            try:
                values[name] = kinds[name](text)
            except ValueError as error:
                raise BadInputError(f"The option {name} is {text!r}, not a number.") from error
        return replace(base, **values)
