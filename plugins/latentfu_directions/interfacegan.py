"""InterFaceGAN's boundary training, with the same results and a fraction of its time.

Shen et al. 2020 (arXiv 2005.09635): samples sorted by a score, the surest at both ends, a linear
support vector machine between them. The machine is the same as in their code; it is given the
codes' inner products, computed once by a matrix product, instead of the codes, which its solver
would multiply again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]
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


def train_boundary(
    codes: Floats,
    scores: Floats,
    chosen: float = 0.02,
    *,
    split: float = 0.7,
    invalid: float | None = None,
    seed: int = 0,
) -> TrainedBoundary:
    """The boundary between few and much of what ``scores [N]`` measure, in ``codes [N, ...]``.

    W+ codes ``[N, num_ws, w_dim]`` are flattened row by row. ``chosen``: a part of the samples
    up to 1, or a count, for each end (at most half). ``split``: the part of the ends that is
    trained on. ``invalid``: a score that means none. BadInputError for shapes that do not agree,
    numbers that are not finite, too few samples, or scores that do not differ.
    """
    flat, values = checked(codes, scores)
    if invalid is not None:
        valid = values != invalid
        flat, values = flat[valid], values[valid]
    order = np.argsort(values)[::-1]
    flat, values = flat[order], values[order]
    ends = share_out(len(values), chosen, split, seed)
    if not values[0] > values[-1]:
        raise BadInputError("All samples have the same score: there is nothing to tell apart.")
    train = np.concatenate([ends.plus_train, ends.minus_train])
    labels = np.repeat([1, 0], [len(ends.plus_train), len(ends.minus_train)])
    weight, offset = linear_svm(flat[train], labels)
    length = float(np.linalg.norm(weight))
    if not length > 0:
        raise BadInputError("The samples of the two ends do not differ: draw more of them.")
    held = np.concatenate([ends.plus_held, ends.minus_held])
    held_labels = np.repeat([1, 0], [len(ends.plus_held), len(ends.minus_held)])
    middle = (values[0] + values[-1]) / 2
    between_labels = (values[ends.between] >= middle).astype(int)
    return TrainedBoundary(
        normal=(weight / length).astype(np.float32),
        bias=offset / length,
        validation=tell(flat[held], held_labels, weight, offset),
        remaining=tell(flat[ends.between], between_labels, weight, offset),
        trained_on=len(train),
    )


def checked(codes: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Codes as ``[N, D]`` and scores as ``[N]``; BadInputError when they can not be used."""
    values: Floats = np.asarray(scores).reshape(-1)
    if codes.ndim < 2 or len(codes) != len(values):
        raise BadInputError(
            f"There are codes of the shape {list(codes.shape)} and {len(values)} scores: give "
            f"one score for each code."
        )
    flat: Floats = np.asarray(codes).reshape(len(codes), -1)
    if not np.isfinite(values).all() or not np.isfinite(flat).all():
        raise BadInputError("Some codes or scores are not finite numbers: leave those out.")
    return flat, values


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


def linear_svm(points: Floats, labels: Places, cost: float = 1.0) -> tuple[Floats, float]:
    """Weight ``[D]`` and offset of the linear support vector machine (libsvm, C = ``cost``)."""
    from sklearn.svm import SVC

    wide = np.ascontiguousarray(points, dtype=np.float64)
    machine = SVC(kernel="precomputed", C=cost)
    machine.fit(wide @ wide.T, labels)
    weight = machine.dual_coef_[0] @ wide[machine.support_]
    return weight, float(machine.intercept_[0])


def tell(points: Floats, labels: Places, weight: Floats, offset: float) -> Told:
    """How many of ``points [N, D]`` lie on the side that their labels (1 plus, 0 minus) say."""
    if not len(points):
        return Told(0, 0, 0, 0)
    right = ((points @ weight + offset) > 0) == (labels == 1)
    plus = labels == 1
    return Told(int(right.sum()), len(labels), int(right[plus].sum()), int(plus.sum()))


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
