"""InterFaceGAN's boundary training, with the same results and a fraction of its time.

Shen et al. 2020 (arXiv 2005.09635): samples sorted by a score, the surest at both ends, a linear
support vector machine between them. The machine is the same as in their code; it is given the
codes' inner products, computed once by a matrix product, instead of the codes, which its solver
would multiply again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError

from latentfu_builtin.directions.solvers import Floats, Places, Solver, linear_svm

MOST_NUMBERS = 400_000_000
"""More numbers than this (3 GB as doubles) are refused rather than swapped."""
FEWEST = 2
"""Samples at each end that a boundary needs to be trained on."""


@dataclass(frozen=True)
class Told:
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

    def and_(self, right: int, total: int, right_plus: int, plus: int) -> Told:
        """These and some more."""
        return Told(
            self.right + right, self.total + total, self.right_plus + right_plus, self.plus + plus
        )


@dataclass(frozen=True)
class TrainedBoundary:
    """``normal [D]`` float32 of unit length, pointing to more; ``bias``: the code c lies on the
    plus side when c . normal + bias > 0. ``validation``: held-out samples of the ends;
    ``remaining``: all samples between the ends."""

    normal: npt.NDArray[np.float32]
    bias: float
    validation: Told
    remaining: Told
    trained_on: int


@dataclass(frozen=True)
class Ends:
    """Places of the samples, highest score first, and how they are shared out."""

    plus_train: Places
    plus_held: Places
    minus_train: Places
    minus_held: Places
    between: Places

    def of(self, order: Places) -> Ends:
        """The same places in a list of which ``order`` is the order."""
        return Ends(
            order[self.plus_train], order[self.plus_held], order[self.minus_train],
            order[self.minus_held], order[self.between],
        )  # fmt: skip


def train_boundary(
    codes: Floats,
    scores: Floats,
    chosen: float = 0.02,
    *,
    split: float = 0.7,
    invalid: float | None = None,
    seed: int = 0,
    solver: Solver = linear_svm,
) -> TrainedBoundary:
    """The boundary between few and much of what ``scores [N]`` measure, in ``codes [N, ...]``.

    W+ codes ``[N, num_ws, w_dim]`` are flattened row by row; codes that are mapped from a file
    are read in parts. ``chosen``: a part of the samples up to 1, or a count, for each end (at
    most half). ``split``: the part of the ends that is trained on. ``invalid``: a score that
    means none. BadInputError for shapes that do not agree, numbers that are not finite, too few
    samples, scores that do not differ, or ends that do not fit into memory.
    """
    values = checked(codes, scores)
    valid = np.arange(len(values)) if invalid is None else np.flatnonzero(values != invalid)
    order = valid[np.argsort(values[valid])[::-1]]
    ends = share_out(len(order), chosen, split, seed)
    if not values[order[0]] > values[order[-1]]:
        raise BadInputError("All samples have the same score: there is nothing to tell apart.")
    middle = (values[order[0]] + values[order[-1]]) / 2
    plus = values[order[ends.between]] >= middle
    return solved(codes, ends.of(order), plus, solver)


def train_labelled(
    codes: Floats,
    labels: Places,
    *,
    split: float = 0.7,
    seed: int = 0,
    solver: Solver = linear_svm,
) -> TrainedBoundary:
    """The boundary between codes of label 0 and label 1, sorted by hand; others (-1) are left
    between them. BadInputError as for :func:`train_boundary`, and where a label has no codes."""
    checked(codes, labels.astype(np.float64))
    plus, minus = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    if not len(plus) or not len(minus):
        raise BadInputError("All samples are of one kind: sort them into two.")
    cuts = int(len(plus) * split), int(len(minus) * split)
    if min(cuts) < FEWEST:
        raise BadInputError(
            f"{len(plus)} and {len(minus)} samples leave {min(cuts)} to train on: at least "
            f"{FEWEST} of each kind are needed."
        )
    random = np.random.RandomState(seed)
    random.shuffle(plus)
    random.shuffle(minus)
    ends = Ends(
        plus[: cuts[0]], plus[cuts[0] :], minus[: cuts[1]], minus[cuts[1] :],
        np.array([], dtype=np.int64),
    )  # fmt: skip
    return solved(codes, ends, np.array([], dtype=bool), solver)


def solved(codes: Floats, ends: Ends, between_plus: Any, solver: Solver) -> TrainedBoundary:
    """The boundary that ``solver`` finds between the ends, and how it does on all others."""
    train = np.concatenate([ends.plus_train, ends.minus_train])
    if len(train) * codes[0].size > MOST_NUMBERS:
        raise BadInputError(
            f"The ends are {len(train)} codes of {codes[0].size} numbers, more than fit into "
            f"memory: choose fewer of them."
        )
    labels = np.repeat([1, 0], [len(ends.plus_train), len(ends.minus_train)])
    weight, offset = solver(rows(codes, train), labels)
    length = float(np.linalg.norm(weight))
    if not length > 0 or not np.isfinite(length):
        raise BadInputError("The samples of the two ends do not differ: draw more of them.")
    held = np.concatenate([ends.plus_held, ends.minus_held])
    held_labels = np.repeat([1, 0], [len(ends.plus_held), len(ends.minus_held)])
    return TrainedBoundary(
        normal=(weight / length).astype(np.float32),
        bias=offset / length,
        validation=tell(codes, held, held_labels, weight, offset),
        remaining=tell(codes, ends.between, between_plus.astype(int), weight, offset),
        trained_on=len(train),
    )


def rows(codes: Floats, places: Places) -> Floats:
    """The codes at ``places``, flattened: ``[P, D]``."""
    return np.asarray(codes[places]).reshape(len(places), -1)


def checked(codes: Floats, scores: Floats) -> Floats:
    """Scores as ``[N]``; BadInputError when they or the codes can not be used."""
    values: Floats = np.asarray(scores).reshape(-1)
    if codes.ndim < 2 or len(codes) != len(values):
        raise BadInputError(
            f"There are codes of the shape {list(codes.shape)} and {len(values)} scores: give "
            f"one score for each code."
        )
    finite = np.isfinite(values).all()
    for part in parts(len(codes)):
        finite = finite and np.isfinite(codes[part]).all()
    if not finite:
        raise BadInputError("Some codes or scores are not finite numbers: leave those out.")
    return values


def parts(count: int, size: int = 1000) -> Iterator[slice]:
    """0..count in slices of ``size``, so that a mapped file is never read at once."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def share_out(count: int, chosen: float, split: float, seed: int) -> Ends:
    """Which places (of ``count``, sorted from the highest score) train, validate, or neither.

    Drawn with numpy's legacy generator, plus end first, as InterFaceGAN does.
    """
    if not chosen > 0 or not 0 < split <= 1:
        raise BadInputError("Give a positive number of samples for the ends, and a split up to 1.")
    each = min(int(count * chosen) if chosen <= 1 else int(chosen), int(0.5 * count))
    train = int(each * split)
    if train < FEWEST:
        raise BadInputError(
            f"{count} samples leave {train} to train on at each end: at least {FEWEST} are needed."
        )
    random = np.random.RandomState(seed)
    plus, minus = np.arange(each), np.arange(each)
    random.shuffle(plus)
    random.shuffle(minus)
    minus = minus + count - each
    between = np.arange(each, count - each)
    return Ends(plus[:train], plus[train:], minus[:train], minus[train:], between)


def tell(codes: Floats, places: Places, labels: Places, weight: Floats, offset: float) -> Told:
    """How many of the codes at ``places`` lie on the side that labels (1 plus, 0 minus) say."""
    told = Told(0, 0, 0, 0)
    for part in parts(len(places)):
        points, plus = rows(codes, places[part]), labels[part] == 1
        right = ((points @ weight + offset) > 0) == plus
        told = told.and_(int(right.sum()), len(plus), int(right[plus].sum()), int(plus.sum()))
    return told


def project_boundary(normal: Floats, *others: Floats) -> npt.NDArray[np.float32]:
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
    if length < 1e-6 * max(float(np.linalg.norm(wanted)), 1e-30):
        raise BadInputError("Nothing of the direction is left: clean it of fewer attributes.")
    return (left / length).astype(np.float32)


def interpolate(
    code: Floats, normal: Floats, start: float = -3.0, end: float = 3.0, steps: int = 10
) -> Floats:
    """Codes along ``normal [D]``: ``[steps, D]`` from ``[1, D]``, ``[steps, L, D]`` from W+.

    A plain code goes to absolute signed distances from the boundary's plane through 0; a W+
    code moves relative to where it is, all layers alike.
    """
    step: Floats = np.asarray(normal).reshape(-1)
    distances = np.linspace(start, end, steps)
    if code.ndim == 2:
        distances = distances - code @ step
        return np.asarray(code + distances.reshape(-1, 1) * step, dtype=np.float32)
    return np.asarray(code + distances.reshape(-1, 1, 1) * step, dtype=np.float32)
