"""The one way from samples to a direction: labels, boundary, length, measurement, facts.

The commands train on codes as they are, as InterFaceGAN does; the control makers on whitened
codes (:class:`Whitening`), where other attributes can be left alone by their own boundaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from latentfu import BadInputError, Direction, Generator, Progress, Space, random_latents, silent

from latentfu_builtin.directions.boundaries import (
    ConfusionCounts,
    Doubles,
    TrainedBoundary,
    Whitening,
    count_ordered_pairs,
    project_boundary,
    train_boundary,
    train_on_labels,
)
from latentfu_builtin.directions.effects import EffectMeasurement, measure_direction
from latentfu_builtin.directions.plane_solvers import SOLVERS, Solver, fit_ridge, solve_large_svm
from latentfu_builtin.directions.seeded_samples import compact_codes, describe_weights

REGRESSION = "regression"
"""The method that fits all scores instead of laying a plane between the ends."""
_SPREAD_CODES = 4000
_WHITENED_COST = 0.02
"""What an error costs the support vector machine among whitened codes."""
_TRUTH_PENALTY = 1e-3
_LEAST_EXPLAINED = 0.05
"""An attribute of which the codes say less than this has no slope to be left alone."""
_LEAST_CROSSED = 0.05
"""A plane that a direction crosses at a flatter angle (its sine) does not tell its amount."""


@dataclass(frozen=True)
class TrainingData:
    """Codes ``[N, D]`` or ``[N, L, D]`` and what is known of each: ``scores [N]``.

    ``sorted_by_hand``: scores are 1 (much), 0 (few) and -1 (between), not an amount.
    ``description``: how the labels were made, for people. ``others``: scores ``[N]`` of other
    attributes. ``whitening``: train in its coordinates. ``true_scores``: they are what the
    generator was taught, so lengths follow them and not the scorer.
    """

    codes: Any
    scores: Doubles
    sorted_by_hand: bool = False
    description: str = ""
    others: Mapping[str, Doubles] = field(default_factory=dict)
    whitening: Whitening | None = None
    true_scores: bool = False

    @property
    def points(self) -> Any:
        """What a boundary is laid between: the codes, or their whitened coordinates ``[N, K]``."""
        if self.whitening is None:
            return self.codes
        return self.whitening.coordinates(torch.as_tensor(self.codes)).numpy()


@dataclass(frozen=True)
class TrainingSettings:
    """How a direction is made of them; names are those of the options.

    ``method``: a key of SOLVERS, or REGRESSION with a penalty of ``strength``. ``invalid``: the
    score that means: none. ``without``: directions to leave alone; ``clean``: so many of the
    data's other attributes, those that leak most (-1: all). ``words``: what the file says of the
    direction, by the names of its fields.
    """

    method: str = "svm"
    ends: float = 0.02
    split: float = 0.7
    seed: int = 0
    per_layer: bool = False
    natural: bool = False
    without: Sequence[Direction] = ()
    clean: int = 0
    strength: float = 0.01
    invalid: float | None = None
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainedDirection:
    """A direction, the boundary behind it, and each layer's accuracy where they were trained
    one by one."""

    direction: Direction
    boundary: TrainedBoundary
    layer_accuracies: list[float | None]


def train_direction(
    data: TrainingData,
    settings: TrainingSettings,
    generator: Generator,
    measurement: EffectMeasurement | None,
    progress: Progress = silent,
) -> TrainedDirection:
    """The direction of what the labels tell apart.

    Args:
        data: Codes and their labels.
        settings: Method, ends, and what is left alone.
        generator: Whose codes they are.
        measurement: Fresh samples to measure on; None where no scorer reads the pictures.
        progress: Told about the measurement; may cancel.

    Returns:
        A direction of which strength 1 is one standard deviation of the attribute where
        ``measurement`` reads it, else of the generator's own codes along the boundary's normal.

    Raises:
        BadInputError: Too few or unusable samples, or a direction that moves nothing.
    """
    boundary, layer_accuracies = fit_boundary(data, settings)
    shape = tuple(data.codes.shape[1:])
    avoided: list[Doubles] = [
        np.broadcast_to(other.vector, shape).astype(np.float64).ravel()
        for other in _fitting(settings.without, shape)
    ]
    if settings.clean < 0:
        avoided += _fit_other_normals(data, settings, data.others)

    def finish(rows: Sequence[Doubles]) -> Direction:
        normal = boundary.normal.astype(np.float64)
        if rows:
            normal = project_boundary(normal, *rows).astype(np.float64)
        moved = _as_direction(data, settings, generator, boundary, normal)
        if data.true_scores and measurement is not None:
            return _scale_by_truth(moved, normal, data, measurement, progress)
        return measure_direction(moved, measurement, progress)

    direction = finish(avoided)
    if settings.clean > 0:
        leaks = sorted(data.others, key=lambda name: -abs(direction.leakage.get(name, 0.0)))
        rows = _fit_other_normals(data, settings, leaks[: settings.clean])
        direction = finish([*avoided, *rows])
    return TrainedDirection(direction, boundary, layer_accuracies)


def fit_boundary(
    data: TrainingData, settings: TrainingSettings
) -> tuple[TrainedBoundary, list[float | None]]:
    """One boundary of all numbers, or one for each layer put together, with their accuracies."""
    points = data.points
    if not settings.per_layer:
        return _fit(data, settings, points), []
    if points.ndim != 3:
        raise BadInputError("Boundaries for each layer need codes in w+: give --space w+.")
    each = [_fit(data, settings, points[:, layer]) for layer in range(points.shape[1])]
    accuracies = [boundary.validation.accuracy for boundary in each]
    weights = np.array([max((accuracy or 0.5) - 0.5, 1e-3) for accuracy in accuracies])
    rows = np.stack([b.normal * weight for b, weight in zip(each, weights, strict=True)])  # [L, D]
    length = float(np.linalg.norm(rows))
    bias = float(sum(b.bias * w for b, w in zip(each, weights, strict=True)) / length)
    best = max(each, key=lambda boundary: boundary.validation.accuracy or 0.0)
    whole = replace(best, normal=(rows / length).astype(np.float32).ravel(), bias=bias)
    return whole, accuracies


def _fit(data: TrainingData, settings: TrainingSettings, points: Any) -> TrainedBoundary:
    """The boundary among ``points [N, ...]`` by the chosen method."""
    if settings.method == REGRESSION:
        return _fit_regression(points, data.scores, settings.strength)
    solver: Solver = SOLVERS[settings.method]
    if settings.method == "svm" and data.whitening is not None:
        solver = partial(solve_large_svm, cost=_WHITENED_COST)
    if data.sorted_by_hand:
        labels = data.scores.astype(np.int64)
        return train_on_labels(
            points, labels, split=settings.split, seed=settings.seed, solver=solver
        )
    return train_boundary(
        points, data.scores, settings.ends, split=settings.split, invalid=settings.invalid,
        seed=settings.seed, solver=solver,
    )  # fmt: skip


def _fit_regression(points: Any, scores: Doubles, strength: float) -> TrainedBoundary:
    """The plane of the mean score; told apart are pairs of samples, by which has more."""
    weight, intercept = fit_ridge(points, _standardize(scores), strength * len(points))
    length = max(float(np.linalg.norm(weight)), 1e-12)
    return TrainedBoundary(
        normal=(weight / length).astype(np.float32),
        bias=float(intercept) / length,
        validation=count_ordered_pairs(points, scores, weight),
        remaining=ConfusionCounts(0, 0, 0, 0),
        trained_on=len(points),
    )


def _fit_other_normals(
    data: TrainingData, settings: TrainingSettings, names: Iterable[str]
) -> list[Doubles]:
    """The normals ``[K]`` of other attributes, to be left alone."""
    chosen = list(names)
    if not chosen:
        return []
    if settings.method != REGRESSION:
        each = (replace(data, scores=data.others[name]) for name in chosen)
        return [fit_boundary(item, settings)[0].normal.astype(np.float64) for item in each]
    points = data.points
    targets = np.stack([_standardize(data.others[name]) for name in chosen], axis=1)  # [N, A]
    slopes, _ = fit_ridge(points, targets, settings.strength * len(points))  # [A, K]
    return [slope for slope in slopes if float(np.linalg.norm(slope)) > _LEAST_EXPLAINED]


def _standardize(scores: Doubles) -> Doubles:
    """``scores [N]`` around 0, in standard deviations."""
    found: Doubles = (scores - scores.mean()) / max(float(scores.std(ddof=1)), 1e-9)
    return found


def _as_direction(
    data: TrainingData,
    settings: TrainingSettings,
    generator: Generator,
    boundary: TrainedBoundary,
    normal: Doubles,
) -> Direction:
    """The move of a ``normal`` (of the points, flat), one standard deviation of codes long."""
    shape = tuple(data.codes.shape[1:])
    if data.whitening is None:
        normal = normal.reshape(shape)
        codes = _draw_codes(generator)
        move = _follow_codes(normal, codes) if settings.natural else normal
        move = move * _spread_along(normal, codes) / max(float((move * normal).sum()), 1e-12)
        zero: dict[str, Any] = {"normal": normal.astype(np.float32), "bias": boundary.bias}
    else:
        move = data.whitening.move(torch.from_numpy(normal)).numpy().reshape(shape)
        zero = _place_zero(data.whitening, boundary, move, settings.method)
    kind = "ridge regression" if settings.method == REGRESSION else f"{settings.method} boundary"
    return Direction(
        vector=move.astype(np.float32),
        space=space_of_shape(shape, generator),
        **describe_weights(generator),
        **zero,
        unit="standard deviations of the codes",
        method=f"{kind}, {data.description}",
        samples=len(data.scores),
        accuracy=boundary.validation.accuracy,
        **settings.words,  # type: ignore[arg-type]
    )


def _place_zero(
    whitening: Whitening, boundary: TrainedBoundary, move: Doubles, method: str
) -> dict[str, Any]:
    """Where the amount is 0 along a move of whitened codes: on the boundary's own plane.

    At the mean of the codes where there is none, or the move hardly crosses it.
    """
    length = float(np.linalg.norm(move))
    plane, bias = whitening.plane(
        torch.from_numpy(boundary.normal.astype(np.float64)), boundary.bias
    )
    normal = plane.numpy().reshape(move.shape)
    if method != REGRESSION and float((normal * move).sum()) > _LEAST_CROSSED * length:
        return {"normal": normal, "bias": bias}
    return {"bias": -float(whitening.mean.numpy() @ (move.ravel() / length))}


def _scale_by_truth(
    direction: Direction,
    normal: Doubles,
    data: TrainingData,
    measurement: EffectMeasurement,
    progress: Progress,
) -> Direction:
    """The direction one standard deviation of its true scores long, with what the scorer sees."""
    points = data.points
    slope, _ = fit_ridge(points, _standardize(data.scores), _TRUTH_PENALTY * len(points))
    vector = torch.from_numpy(direction.vector) / float(slope @ normal)
    effects = measurement.measure_slopes(vector, progress)
    column = measurement.attributes.index(direction.attribute)
    measurement.check_effect(float(effects[column]), direction.attribute)
    scaled = replace(direction, vector=vector.numpy(), unit="standard deviations")
    return measurement.record_effects(scaled, effects)


def _fitting(others: Sequence[Direction], shape: tuple[int, ...]) -> Sequence[Direction]:
    """The others, if they lie in a space of this shape (raises BadInputError)."""
    for other in others:
        if other.vector.shape not in (shape, shape[-1:]) or other.parameter:
            raise BadInputError(
                f"The direction {other.name} is {list(other.vector.shape)}, the codes are "
                f"{list(shape)}: it cannot be left alone here."
            )
    return others


def space_of_shape(shape: tuple[int, ...], generator: Generator) -> Space:
    """The space that codes of this shape lie in."""
    if len(shape) == 2:
        return "w++" if generator.spaces[-1] == "w++" else "w+"
    return "w" if "w" in generator.spaces else "z"


def _draw_codes(generator: Generator) -> Doubles:
    """Codes ``[N, D]`` (in w++ ``[N, L, D]``) of the generator's own samples; none is rendered."""
    latent = random_latents(generator, _SPREAD_CODES, seed=1)
    return compact_codes(latent).double().cpu().numpy()


def _spread_along(normal: Doubles, codes: Doubles) -> float:
    """One standard deviation of the generator's codes along ``normal``."""
    if codes.ndim == 3:
        return max(float((codes * normal).sum(axis=(1, 2)).std()), 1e-6)
    row = normal if normal.ndim == 1 else normal.sum(axis=0)
    if codes.shape[1] != row.size:  # z boundaries of a network that maps to w
        return 1.0
    return max(float((codes @ row).std()), 1e-6)


def _follow_codes(normal: Doubles, codes: Doubles) -> Doubles:
    """The step that the codes themselves take with the normal: their covariance times it.

    It stays where the generator's codes lie, where the bare normal may leave them.
    """
    if codes.ndim == 3:
        flat = (codes - codes.mean(axis=0)).reshape(len(codes), -1)  # [N, L D]
        amounts = flat @ np.broadcast_to(normal, codes.shape[1:]).ravel()
        step: Doubles = (amounts @ flat).reshape(codes.shape[1:]) / (len(codes) - 1)
        return step
    if codes.shape[1] != normal.shape[-1]:
        return normal
    moved: Doubles = normal @ np.cov(codes.T)
    return moved
