"""What a step along a direction does, as the scorer sees it on fresh samples."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    PluginFailedError,
    Progress,
    Scorer,
    between,
    call_plugin,
    random_latents,
    silent,
)
from torch import Tensor

from latentfu_builtin.directions.seeded_samples import ScoreFunction, compact_codes, score_codes

_log = logging.getLogger(__name__)

TRIALS = 64
"""Fresh samples that a direction is tried on."""
_STEP = 0.5
_WEAKEST = 0.02
_FURTHEST = 100.0
"""The largest strength that an edit takes."""


@dataclass(frozen=True)
class EffectMeasurement:
    """Fresh samples ``codes [M, D]`` (or ``[M, L, D]``) to try directions on.

    ``spread [A]``: one standard deviation of each of the scorer's ``attributes``. ``units``: what
    some of them are counted in, by name, with their mean over the samples.
    """

    generator: Generator
    score: ScoreFunction
    attributes: tuple[str, ...]
    codes: Tensor
    spread: Tensor
    units: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    @staticmethod
    def on_fresh_samples(
        generator: Generator,
        scorer: Scorer,
        seed: int,
        *,
        trials: int = TRIALS,
        spread: Tensor | None = None,
        progress: Progress = silent,
    ) -> EffectMeasurement:
        """``trials`` samples that no direction was learned from; ``spread`` None: theirs."""
        device = str(generator.device)
        load = call_plugin(scorer, "was loaded", lambda: scorer.load(device))

        def score(images: Tensor) -> Tensor:
            return call_plugin(scorer, "read pictures", lambda: load(images))

        codes = compact_codes(random_latents(generator, trials, seed + 7_654_321)).cpu()
        names, units = tuple(scorer.attributes), {}
        if spread is None or scorer.units:
            scores = score_codes(generator, score, codes, progress)  # [M, A]
            spread = scores.std(dim=0).clamp(min=1e-6) if spread is None else spread
            means = dict(zip(names, scores.mean(dim=0).tolist(), strict=True))
            units = {name: (unit, means[name]) for name, unit in scorer.units.items()}
        return EffectMeasurement(generator, score, names, codes, spread, units)

    def measure_slopes(self, vector: Tensor, progress: Progress, step: float = _STEP) -> Tensor:
        """Change of every score, in standard deviations, per ``vector``: ``[A]``.

        ``vector``: ``[D]``, or ``[L, D]`` with a step for each layer. Measured as the difference
        between ``step`` forth and ``step`` back.
        """
        codes = self.codes if vector.ndim < self.codes.ndim else self.codes[:, None]
        both = torch.cat([codes + step * vector, codes - step * vector])
        scores = score_codes(self.generator, self.score, both, progress)
        forth, back = torch.split(scores, len(self.codes))
        slopes: Tensor = (forth - back).mean(dim=0) / (2 * step) / self.spread
        return slopes

    def scale(self, vector: Tensor, attribute: str, progress: Progress) -> tuple[Tensor, Tensor]:
        """``vector`` (one standard deviation of the codes) made as long as one of the attribute.

        Returns:
            The vector, turned if need be, and what 1 of it does to every attribute, ``[A]``.

        Raises:
            BadInputError: Moving along it hardly changes the attribute.
        """
        column = self.attributes.index(attribute)
        first = float(self.measure_slopes(vector, between(progress, 0.0, 0.5))[column])
        self.check_effect(abs(first), attribute)
        vector = vector / first
        step = min(_STEP, _STEP * abs(first))
        return vector, self.measure_slopes(vector, between(progress, 0.5, 1.0), step)

    @staticmethod
    def check_effect(effect: float, attribute: str) -> None:
        """Refuse a direction that does next to nothing (raises BadInputError)."""
        if effect < _WEAKEST:
            raise BadInputError(
                f"Moving along the direction hardly changes {attribute}: this generator does not "
                f"show it."
            )

    def record_effects(self, direction: Direction, effects: Tensor) -> Direction:
        """The direction with its effect and leakage, of effects ``[A]`` of strength 1.

        Counted in the scorer's own unit where it has one for the attribute.
        """
        if direction.attribute in self.units and direction.unit == "standard deviations":
            direction, effects = self._count_in_units(direction, effects)
        amounts = dict(zip(self.attributes, map(float, effects), strict=True))
        own = amounts.pop(direction.attribute, None)
        leakage = {name: round(amount, 4) for name, amount in amounts.items()}
        return replace(direction, effect=own, leakage=leakage)

    def _count_in_units(self, direction: Direction, effects: Tensor) -> tuple[Direction, Tensor]:
        """One unit long, its amount what the scorer reads, its range three deviations each way."""
        unit, mean = self.units[direction.attribute]
        spread = float(self.spread[self.attributes.index(direction.attribute)])
        vector = direction.vector.astype(np.float64) / spread
        normal = direction.vector if direction.normal is None else direction.normal
        normal = normal / np.linalg.norm(normal)
        middle = self.codes.double().mean(dim=0).numpy()  # [D] or [L, D]
        if middle.ndim < normal.ndim:
            middle = np.broadcast_to(middle, normal.shape)
        at_middle = (middle * normal).sum() / (len(middle) if normal.ndim < middle.ndim else 1)
        across = max(float((vector * normal).sum()), 1e-12)
        reach = round_range(3 * spread)
        counted = replace(
            direction,
            vector=vector.astype(np.float32),
            unit=unit,
            bias=float(mean * across - at_middle),
            minimum=-reach,
            maximum=reach,
        )
        return counted, effects / spread


def round_range(reach: float) -> float:
    """A slider's end near ``reach``: a round number, at least half of what was asked.

    >>> round_range(37.2), round_range(0.83), round_range(3000.0)
    (40.0, 0.8, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(max(reach, 1e-6)))
    return float(min(_FURTHEST, round(max(1.0, round(2 * reach / power) / 2) * power, 9)))


def measure_direction(
    direction: Direction, measurement: EffectMeasurement | None, progress: Progress
) -> Direction:
    """The direction with its effects; one standard deviation of its attribute long.

    As it is where there is no measurement, or it moves z and pictures are edited elsewhere; only
    measured, not scaled, where the scorer does not know its attribute. BadInputError for one that
    lowers its attribute.
    """
    if measurement is None or direction.space == "z" != measurement.generator.spaces[-1]:
        return direction
    vector = torch.from_numpy(direction.vector)
    if direction.attribute not in measurement.attributes:
        return measurement.record_effects(direction, measurement.measure_slopes(vector, progress))
    scaled, effects = measurement.scale(vector, direction.attribute, progress)
    if float((scaled * vector).sum()) < 0:
        raise BadInputError(
            f"The direction lowers what the scorer calls {direction.attribute}: the folders "
            f"or scores are the wrong way round, or say nothing about it."
        )
    direction = replace(direction, vector=scaled.numpy(), unit="standard deviations")
    return measurement.record_effects(direction, effects)


def measure_by_scorer(
    direction: Direction,
    generator: Generator,
    scorer: Scorer | None,
    seed: int,
    progress: Progress,
) -> Direction:
    """:func:`measure_direction` on fresh samples, where there is a scorer."""
    if scorer is None:
        return direction
    try:
        measurement = EffectMeasurement.on_fresh_samples(generator, scorer, seed, progress=progress)
        return measure_direction(direction, measurement, progress)
    except PluginFailedError as error:  # only a measurement: what was found stays
        _log.warning("%s The effect was not measured.", error)
        return direction
