"""Boundaries between few and much of an attribute: the solvers, and how they are trained.

Shen et al. 2020, InterFaceGAN (arXiv 2005.09635): samples sorted by a score, the surest at both
ends, a linear support vector machine between them. The results are those of the authors' code on
the same samples and shuffles; the machine is given the codes' inner products, computed once by a
matrix product, instead of the codes, which its solver would multiply again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError
from torch import Tensor

from latentfu_builtin.directions.plane_solvers import Indices, Reals, Solver, solve_svm

Doubles = npt.NDArray[np.float64]

_MOST_NUMBERS = 400_000_000
"""More numbers than this (3 GB as doubles) are refused rather than swapped."""
_FEWEST = 2
"""Samples at each end that a boundary needs to be trained on."""
_LEAST_LEFT = 1e-3
"""So much of a direction must be left when others are taken out of it."""
_LEAST_SPREAD = 0.01
"""Axes along which codes spread less than this part of the widest one are left out."""


@dataclass(frozen=True)
class Whitening:
    """Coordinates in which codes have the same spread along every axis.

    A boundary found there, brought back, is the move of the codes that goes with the attribute:
    it follows the codes' own distribution instead of leaving it.
    ``mean [D]``; ``axes [D, K]``: codes = mean + axes @ p, with p ``[K]`` of unit variance.
    """

    mean: Tensor
    axes: Tensor

    @staticmethod
    def of(codes: Tensor) -> Whitening:
        """The whitening of codes ``[N, D]``, or ``[N, L, D]`` with D of L D numbers."""
        codes = codes.double().flatten(1)
        mean = codes.mean(dim=0)
        centered = codes - mean
        if codes.shape[1] > len(codes):
            _, widths, across = torch.linalg.svd(centered, full_matrices=False)
            spread = widths / (len(codes) - 1) ** 0.5
            kept = spread > _LEAST_SPREAD * spread.max()
            return Whitening(mean, across.T[:, kept] * spread[kept])
        values, vectors = torch.linalg.eigh(centered.T @ centered / (len(codes) - 1))
        spread = values.clamp(min=0).sqrt()
        kept = spread > _LEAST_SPREAD * spread.max()
        return Whitening(mean, vectors[:, kept] * spread[kept])

    def coordinates(self, codes: Tensor) -> Tensor:
        """codes as they were given to `of` -> p ``[N, K]`` float64."""
        lengths = self.axes.norm(dim=0)
        p: Tensor = ((codes.double().flatten(1) - self.mean) @ (self.axes / lengths)) / lengths
        return p

    def move(self, p: Tensor) -> Tensor:
        """A step p ``[K]`` as a step of codes ``[D]``, float32."""
        step: Tensor = (self.axes @ p).float()
        return step

    def plane(self, normal: Tensor, bias: float) -> tuple[Tensor, float]:
        """The plane p . normal + bias = 0 in codes: unit normal ``[D]`` float32, and its bias."""
        slope = (self.axes / self.axes.norm(dim=0) ** 2) @ normal
        length = slope.norm().clamp(min=1e-12)
        return (slope / length).float(), float((bias - self.mean @ slope) / length)


@dataclass(frozen=True)
class ConfusionCounts:
    """How many of ``total`` samples fell on the right side: ``right_plus`` of ``plus`` with the
    attribute, the others without."""

    right: int
    total: int
    right_plus: int
    plus: int

    @property
    def accuracy(self) -> float | None:
        """0..1; None when there were no samples."""
        return self.right / self.total if self.total else None

    def __add__(self, other: ConfusionCounts) -> ConfusionCounts:
        return ConfusionCounts(
            self.right + other.right,
            self.total + other.total,
            self.right_plus + other.right_plus,
            self.plus + other.plus,
        )

    def as_json(self) -> dict[str, Any]:
        """Counts on the right and the wrong side, by what they should be."""
        minus_right = self.right - self.right_plus
        return {
            "accuracy": self.accuracy,
            "plus_right": self.right_plus,
            "plus_wrong": self.plus - self.right_plus,
            "minus_right": minus_right,
            "minus_wrong": self.total - self.plus - minus_right,
        }

    def as_text(self) -> str:
        """A confusion table in one line."""
        minus = self.total - self.plus
        return (
            f"{self.right} of {self.total} right (with: {self.right_plus} of {self.plus}, "
            f"without: {self.right - self.right_plus} of {minus})"
        )


@dataclass(frozen=True)
class TrainedBoundary:
    """``normal [D]`` float32 of unit length, pointing to more; ``bias``: the code c lies on the
    plus side when c . normal + bias > 0. ``validation``: held-out samples of the ends;
    ``remaining``: all samples between the ends."""

    normal: npt.NDArray[np.float32]
    bias: float
    validation: ConfusionCounts
    remaining: ConfusionCounts
    trained_on: int


@dataclass(frozen=True)
class _Ends:
    """Places of the samples, highest score first, and how they are shared out."""

    plus_train: Indices
    plus_held: Indices
    minus_train: Indices
    minus_held: Indices
    between: Indices

    def of(self, order: Indices) -> _Ends:
        """The same places in a list of which ``order`` is the order."""
        return _Ends(
            order[self.plus_train], order[self.plus_held], order[self.minus_train],
            order[self.minus_held], order[self.between],
        )  # fmt: skip


def train_boundary(
    codes: Reals,
    scores: Reals,
    chosen: float = 0.02,
    *,
    split: float = 0.7,
    invalid: float | None = None,
    seed: int = 0,
    solver: Solver = solve_svm,
) -> TrainedBoundary:
    """The boundary between few and much of what ``scores`` measure.

    Args:
        codes: ``[N, ...]``; W+ codes ``[N, num_ws, w_dim]`` are flattened row by row, codes that
            are mapped from a file are read in parts.
        scores: ``[N]``.
        chosen: A part of the samples up to 1, or a count, for each end (at most half).
        split: The part of the ends that is trained on.
        invalid: A score that means none.
        seed: Of the shuffle of each end.
        solver: What lays the plane between the ends.

    Raises:
        BadInputError: For shapes that do not agree, numbers that are not finite, too few samples,
            scores that do not differ, or ends that do not fit into memory.
    """
    values = _check_samples(codes, scores)
    valid = np.arange(len(values)) if invalid is None else np.flatnonzero(values != invalid)
    order = valid[np.argsort(values[valid])[::-1]]
    ends = _split_ends(len(order), chosen, split, seed)
    if not values[order[0]] > values[order[-1]]:
        raise BadInputError("All samples have the same score: there is nothing to tell apart.")
    middle = (values[order[0]] + values[order[-1]]) / 2
    plus = values[order[ends.between]] >= middle
    return _train_between(codes, ends.of(order), plus, solver)


def train_on_labels(
    codes: Reals,
    labels: Indices,
    *,
    split: float = 0.7,
    seed: int = 0,
    solver: Solver = solve_svm,
) -> TrainedBoundary:
    """The boundary between codes of label 0 and label 1, sorted by hand; others (-1) are left
    between them. BadInputError as for :func:`train_boundary`, and where a label has no codes."""
    _check_samples(codes, labels.astype(np.float64))
    plus, minus = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    if not len(plus) or not len(minus):
        raise BadInputError("All samples are of one kind: sort them into two.")
    cuts = int(len(plus) * split), int(len(minus) * split)
    if min(cuts) < _FEWEST:
        raise BadInputError(
            f"{len(plus)} and {len(minus)} samples leave {min(cuts)} to train on: at least "
            f"{_FEWEST} of each kind are needed."
        )
    random = np.random.RandomState(seed)
    random.shuffle(plus)
    random.shuffle(minus)
    ends = _Ends(
        plus[: cuts[0]], plus[cuts[0] :], minus[: cuts[1]], minus[cuts[1] :],
        np.array([], dtype=np.int64),
    )  # fmt: skip
    return _train_between(codes, ends, np.array([], dtype=bool), solver)


def _train_between(codes: Reals, ends: _Ends, between_plus: Any, solver: Solver) -> TrainedBoundary:
    """The boundary that ``solver`` finds between the ends, and how it does on all others."""
    train = np.concatenate([ends.plus_train, ends.minus_train])
    if len(train) * codes[0].size > _MOST_NUMBERS:
        raise BadInputError(
            f"The ends are {len(train)} codes of {codes[0].size} numbers, more than fit into "
            f"memory: choose fewer of them."
        )
    labels = np.repeat([1, 0], [len(ends.plus_train), len(ends.minus_train)])
    weight, offset = solver(_flat_rows(codes, train), labels)
    length = float(np.linalg.norm(weight))
    if not length > 0 or not np.isfinite(length):
        raise BadInputError("The samples of the two ends do not differ: draw more of them.")
    held = np.concatenate([ends.plus_held, ends.minus_held])
    held_labels = np.repeat([1, 0], [len(ends.plus_held), len(ends.minus_held)])
    return TrainedBoundary(
        normal=(weight / length).astype(np.float32),
        bias=offset / length,
        validation=_count_right(codes, held, held_labels, weight, offset),
        remaining=_count_right(codes, ends.between, between_plus.astype(int), weight, offset),
        trained_on=len(train),
    )


def _flat_rows(codes: Reals, places: Indices) -> Reals:
    """The codes at ``places``, flattened: ``[P, D]``."""
    return np.asarray(codes[places]).reshape(len(places), -1)


def _check_samples(codes: Reals, scores: Reals) -> Reals:
    """Scores as ``[N]``; BadInputError when they or the codes cannot be used."""
    values: Reals = np.asarray(scores).reshape(-1)
    if codes.ndim < 2 or len(codes) != len(values):
        raise BadInputError(
            f"There are codes of the shape {list(codes.shape)} and {len(values)} scores: give "
            f"one score for each code."
        )
    finite = np.isfinite(values).all()
    for part in iterate_slices(len(codes)):
        finite = finite and np.isfinite(codes[part]).all()
    if not finite:
        raise BadInputError("Some codes or scores are not finite numbers: leave those out.")
    return values


def iterate_slices(count: int, size: int = 1000) -> Iterator[slice]:
    """0..count in slices of ``size``, so that a mapped file is never read at once."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def _split_ends(count: int, chosen: float, split: float, seed: int) -> _Ends:
    """Which places (of ``count``, sorted from the highest score) train, validate, or neither.

    Drawn with numpy's legacy generator, plus end first, as InterFaceGAN does.
    """
    if not chosen > 0 or not 0 < split <= 1:
        raise BadInputError("Give a positive number of samples for the ends, and a split up to 1.")
    each = min(int(count * chosen) if chosen <= 1 else int(chosen), int(0.5 * count))
    train = int(each * split)
    if train < _FEWEST:
        raise BadInputError(
            f"{count} samples leave {train} to train on at each end: at least {_FEWEST} are needed."
        )
    random = np.random.RandomState(seed)
    plus, minus = np.arange(each), np.arange(each)
    random.shuffle(plus)
    random.shuffle(minus)
    minus = minus + count - each
    between = np.arange(each, count - each)
    return _Ends(plus[:train], plus[train:], minus[:train], minus[train:], between)


def _count_right(
    codes: Reals, places: Indices, labels: Indices, weight: Reals, offset: float
) -> ConfusionCounts:
    """How many of the codes at ``places`` lie on the side that labels (1 plus, 0 minus) say."""
    counts = ConfusionCounts(0, 0, 0, 0)
    for part in iterate_slices(len(places)):
        points, plus = _flat_rows(codes, places[part]), labels[part] == 1
        right = ((points @ weight + offset) > 0) == plus
        counts += ConfusionCounts(
            int(right.sum()), len(plus), int(right[plus].sum()), int(plus.sum())
        )
    return counts


def project_boundary(normal: Reals, *others: Reals) -> npt.NDArray[np.float32]:
    """``normal [D]`` without its part in the span of ``others``, of unit length, float32.

    Conditional manipulation for any number of conditions. BadInputError when nothing is left.
    """
    wanted = np.asarray(normal, dtype=np.float64).reshape(-1)
    left = wanted
    if others:
        rows = np.stack([np.asarray(other, dtype=np.float64).reshape(-1) for other in others])
        basis = np.linalg.qr(rows.T)[0]  # [D, M]
        left = wanted - basis @ (basis.T @ wanted)
    length = float(np.linalg.norm(left))
    if length < _LEAST_LEFT * max(float(np.linalg.norm(wanted)), 1e-30):
        raise BadInputError("Nothing of the direction is left: clean it of fewer attributes.")
    return (left / length).astype(np.float32)


def interpolate_along(
    code: Reals, normal: Reals, start: float = -3.0, end: float = 3.0, steps: int = 10
) -> Reals:
    """Codes along ``normal [D]``: ``[steps, D]`` from ``[1, D]``, ``[steps, L, D]`` from W+.

    A plain code goes to absolute signed distances from the boundary's plane through 0; a W+
    code moves relative to where it is, all layers alike.
    """
    step: Reals = np.asarray(normal).reshape(-1)
    distances = np.linspace(start, end, steps)
    if code.ndim == 2:
        distances = distances - code @ step
        return np.asarray(code + distances.reshape(-1, 1) * step, dtype=np.float32)
    return np.asarray(code + distances.reshape(-1, 1, 1) * step, dtype=np.float32)


def count_ordered_pairs(points: Reals, scores: Reals, weight: Reals) -> ConfusionCounts:
    """How many pairs of samples ``weight [D]`` puts into the order of their scores.

    ``points [N, D]``, ``scores [N]``: the first half of the samples against the second; plus are
    the pairs whose first has more.
    """
    guess, half = points @ weight, len(points) // 2
    plus = scores[:half] > scores[half : 2 * half]
    right = (guess[:half] > guess[half : 2 * half]) == plus
    return ConfusionCounts(int(right.sum()), half, int(right[plus].sum()), int(plus.sum()))
