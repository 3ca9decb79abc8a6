"""What a step along a direction does, as the scorer sees it on fresh samples."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class EffectMeasurement:
    """Fresh samples ``codes [M, D]`` (or ``[M, L, D]``) to try directions on.

    ``spread [A]``: one standard deviation of each of the scorer's ``attributes``.
    """

    generator: Generator
    score: ScoreFunction
    attributes: tuple[str, ...]
    codes: Tensor
    spread: Tensor

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
        if spread is None:
            scores = score_codes(generator, score, codes, progress)  # [M, A]
            spread = scores.std(dim=0).clamp(min=1e-6)
        return EffectMeasurement(generator, score, tuple(scorer.attributes), codes, spread)

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
        """The direction with its effect and leakage, of effects ``[A]`` of strength 1."""
        amounts = dict(zip(self.attributes, map(float, effects), strict=True))
        own = amounts.pop(direction.attribute, None)
        leakage = {name: round(amount, 4) for name, amount in amounts.items()}
        return replace(direction, effect=own, leakage=leakage)


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
