"""The whole way from samples to a direction: codes, labels, ends, boundary, length, facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    Progress,
    Scorer,
    Space,
    random_latents,
    silent,
)

from latentfu_builtin.directions.effect import STEP, Bench, to_scale
from latentfu_builtin.directions.interfacegan import (
    Told,
    TrainedBoundary,
    project_boundary,
    train_boundary,
    train_labelled,
)
from latentfu_builtin.directions.samples import made_for, rendered_scores, shared_codes
from latentfu_builtin.directions.solvers import SOLVERS

Doubles = npt.NDArray[np.float64]
TRIALS = 64
SPREAD_CODES = 4000


@dataclass(frozen=True)
class Labelled:
    """Codes ``[N, D]`` or ``[N, L, D]`` and what is known of each: ``scores [N]``.

    ``sorted_by_hand``: scores are 1 (much), 0 (few) and -1 (between), not an amount. ``told``:
    how the labels were made, for people.
    """

    codes: Any
    scores: Doubles
    sorted_by_hand: bool
    told: str


@dataclass(frozen=True)
class Settings:
    """How a direction is made of them; names are those of the options."""

    method: str = "svm"
    ends: float = 0.02
    split: float = 0.7
    seed: int = 0
    per_layer: bool = False
    natural: bool = False
    without: Sequence[Direction] = ()
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A direction, the boundary behind it, and each layer's accuracy where they were trained
    one by one."""

    direction: Direction
    boundary: TrainedBoundary
    layers: list[float | None]


def make_direction(
    labelled: Labelled,
    settings: Settings,
    generator: Generator,
    scorer: Scorer | None,
    progress: Progress = silent,
) -> Made:
    """The direction of what the labels tell apart; raises BadInputError."""
    boundary, layers = boundary_of(labelled, settings)
    shape = tuple(labelled.codes.shape[1:])
    normal = boundary.normal.astype(np.float64).reshape(shape)
    if settings.without:
        rows = [np.broadcast_to(d.vector, shape).ravel() for d in fitting(settings.without, shape)]
        normal = project_boundary(normal, *rows).astype(np.float64).reshape(shape)
    space = space_of(shape, generator)
    move = natural_move(normal, generator, space) if settings.natural else normal
    move = move * spread_of(normal, generator, space) / max(float((move * normal).sum()), 1e-12)
    found = Direction(
        vector=move.astype(np.float32),
        normal=normal.astype(np.float32),
        space=space,
        **made_for(generator),
        unit="standard deviations of the codes",
        bias=boundary.bias,
        method=f"{settings.method} boundary, {labelled.told}",
        samples=len(labelled.scores),
        accuracy=boundary.validation.accuracy,
        **settings.words,  # type: ignore[arg-type]
    )
    return Made(measured(found, generator, scorer, settings.seed, progress), boundary, layers)


def boundary_of(
    labelled: Labelled, settings: Settings
) -> tuple[TrainedBoundary, list[float | None]]:
    """One boundary of all numbers, or one for each layer put together."""
    codes = labelled.codes
    if not settings.per_layer:
        return train(labelled, codes, settings), []
    if codes.ndim != 3:
        raise BadInputError("Boundaries for each layer need codes in w+: give --space w+.")
    each = [train(labelled, codes[:, layer], settings) for layer in range(codes.shape[1])]
    weights = np.array([max((b.validation.accuracy or 0.5) - 0.5, 1e-3) for b in each])
    rows = np.stack([b.normal * weight for b, weight in zip(each, weights, strict=True)])
    length = float(np.linalg.norm(rows))
    bias = float(sum(b.bias * w for b, w in zip(each, weights, strict=True)) / length)
    normal = (rows / length).astype(np.float32).ravel()
    best = max(each, key=lambda b: b.validation.accuracy or 0.0)
    whole = replace(best, normal=normal, bias=bias)
    return whole, [b.validation.accuracy for b in each]


def train(labelled: Labelled, codes: Any, settings: Settings) -> TrainedBoundary:
    """The boundary in ``codes`` by the chosen solver."""
    solver = SOLVERS[settings.method]
    if labelled.sorted_by_hand:
        labels = labelled.scores.astype(np.int64)
        return train_labelled(
            codes, labels, split=settings.split, seed=settings.seed, solver=solver
        )
    return train_boundary(
        codes, labelled.scores, settings.ends, split=settings.split, seed=settings.seed,
        solver=solver,
    )  # fmt: skip


def fitting(others: Sequence[Direction], shape: tuple[int, ...]) -> list[Direction]:
    """The others, if they lie in a space of this shape (raises BadInputError)."""
    for other in others:
        if other.vector.shape not in (shape, shape[-1:]) or other.parameter:
            raise BadInputError(
                f"The direction {other.name} is {list(other.vector.shape)}, the codes are "
                f"{list(shape)}: it can not be left alone here."
            )
    return list(others)


def space_of(shape: tuple[int, ...], generator: Generator) -> Space:
    """The space that codes of this shape lie in."""
    if len(shape) == 2:
        return "w++" if generator.spaces[-1] == "w++" else "w+"
    return "w" if "w" in generator.spaces else "z"


def random_codes(generator: Generator) -> Doubles:
    """Codes ``[N, D]`` (in w++ ``[N, L, D]``) of the generator's own samples; none is rendered."""
    latent = random_latents(generator, SPREAD_CODES, seed=1)
    return shared_codes(latent).double().cpu().numpy()


def spread_of(normal: Doubles, generator: Generator, space: Space) -> float:
    """One standard deviation of the generator's codes along ``normal``."""
    codes = random_codes(generator)
    if codes.ndim == 3:
        return max(float((codes * normal).sum(axis=(1, 2)).std()), 1e-6)
    row = normal if normal.ndim == 1 else normal.sum(axis=0)
    if codes.shape[1] != row.size:  # z boundaries of a network that maps to w
        return 1.0
    return max(float((codes @ row).std()), 1e-6)


def natural_move(normal: Doubles, generator: Generator, space: Space) -> Doubles:
    """The step that the codes themselves take with the normal: their covariance times it.

    It stays where the generator's codes lie, where the bare normal may leave them.
    """
    codes = random_codes(generator)
    if codes.ndim == 3:
        flat = (codes - codes.mean(axis=0)).reshape(len(codes), -1)
        amounts = flat @ np.broadcast_to(normal, codes.shape[1:]).ravel()
        step: Doubles = (amounts @ flat).reshape(codes.shape[1:]) / (len(codes) - 1)
        return step
    if codes.shape[1] != normal.shape[-1]:
        return normal
    covariance = np.cov(codes.T)
    moved: Doubles = normal @ covariance
    return moved


def measured(
    direction: Direction,
    generator: Generator,
    scorer: Scorer | None,
    seed: int,
    progress: Progress,
) -> Direction:
    """The direction with effect and leakage, and at the length of one standard deviation of its
    attribute where an installed scorer reads that."""
    if scorer is None or direction.space == "z" != generator.spaces[-1]:
        return direction
    bench = bench_of(generator, scorer, seed, progress)
    vector = torch.from_numpy(direction.vector)
    names = list(scorer.attributes)
    if direction.attribute in names:
        column = names.index(direction.attribute)
        found = to_scale(bench, vector, column, direction.attribute, progress)
        if float((found.vector * vector).sum()) < 0:
            raise BadInputError(
                f"The direction lowers what the scorer calls {direction.attribute}: the folders "
                f"or scores are the wrong way round."
            )
        vector, effects = found.vector, found.effects
        direction = replace(direction, unit="standard deviations", effect=float(effects[column]))
    else:
        effects = bench.slopes(vector, STEP, progress)
    leakage = {
        name: round(float(effects[i]), 4)
        for i, name in enumerate(names)
        if name != direction.attribute
    }
    return replace(direction, vector=vector.numpy(), leakage=leakage)


def bench_of(generator: Generator, scorer: Scorer, seed: int, progress: Progress) -> Bench:
    """Fresh samples to try a direction on, with the spread of every score among them."""
    score = scorer.load(str(generator.device))
    codes = shared_codes(random_latents(generator, TRIALS, seed + 7_654_321)).cpu()
    spread = rendered_scores(generator, score, codes, progress).std(dim=0).clamp(min=1e-6)
    return Bench(generator, score, codes, spread)


def table(told: Told) -> str:
    """A confusion table in one line."""
    minus = told.total - told.plus
    return (
        f"{told.right} of {told.total} right (with: {told.right_plus} of {told.plus}, without: "
        f"{told.right - told.right_plus} of {minus})"
    )
