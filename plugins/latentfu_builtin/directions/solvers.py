"""Ways to lay a plane between two sets of points: SVM, logistic regression, ridge.

All work on the points' inner products where there are fewer points than numbers in each, which
is the case for W+ codes of a few thousand samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]
Solver = Callable[[Floats, Places], tuple[Floats, float]]
"""Points ``[N, D]`` and labels 0 or 1 ``[N]`` -> weight ``[D]`` and offset of the plane."""


def linear_svm(points: Floats, labels: Places, cost: float = 1.0) -> tuple[Floats, float]:
    """Weight ``[D]`` and offset of the linear support vector machine (libsvm, C = ``cost``).

    The inner products of single-precision points are made in single precision around their
    mean, where that loses nothing that the points had; a plane does not change with the origin.
    """
    from sklearn.svm import SVC

    single = points.dtype == np.float32
    mean = points.mean(axis=0) if single else np.zeros(points.shape[1])
    around = points - mean if single else np.asarray(points, np.float64)
    products = (around @ around.T).astype(np.float64, copy=False)
    machine = SVC(kernel="precomputed", C=cost, cache_size=cache_for(len(points)))
    machine.fit(products, labels)
    shares = np.zeros(len(points), around.dtype)  # of each point in the weight
    shares[machine.support_] = machine.dual_coef_[0]
    weight = (shares @ around).astype(np.float64)
    return weight, float(machine.intercept_[0] - mean.astype(np.float64) @ weight)


def cache_for(count: int) -> float:
    """Megabytes in which libsvm holds all products of ``count`` points and asks for none twice."""
    return max(200.0, 1.1 * count**2 * np.dtype(np.float32).itemsize / 2**20)


def logistic(points: Floats, labels: Places, strength: float = 1.0) -> tuple[Floats, float]:
    """Logistic regression with a quadratic penalty of ``strength``.

    Solved in the span of the points, which holds the solution.
    """
    from sklearn.linear_model import LogisticRegression

    mean, basis = span(points)
    machine = LogisticRegression(C=1.0 / strength, max_iter=2000)
    machine.fit((points - mean) @ basis.T, labels)
    weight = machine.coef_[0] @ basis
    return weight, float(machine.intercept_[0] - mean @ weight)


def ridge(points: Floats, labels: Places, strength: float = 0.01) -> tuple[Floats, float]:
    """Least squares on the labels, with a penalty of ``strength`` of the points' variance."""
    wide = np.asarray(points, dtype=np.float64)
    mean = wide.mean(axis=0)
    centred = wide - mean
    wanted = np.where(labels == 1, 1.0, -1.0)
    gram = centred @ centred.T
    penalty = strength * max(float(np.trace(gram)) / len(gram), 1e-30) * len(gram)
    weight = centred.T @ np.linalg.solve(
        gram + penalty * np.eye(len(gram)) / len(gram), wanted - wanted.mean()
    )
    return weight, float(wanted.mean() - mean @ weight)


def span(points: Floats) -> tuple[Floats, Floats]:
    """The mean ``[D]`` and an orthonormal basis ``[K, D]`` of what the points span around it."""
    wide = np.asarray(points, dtype=np.float64)
    mean = wide.mean(axis=0)
    if len(wide) >= wide.shape[1]:
        return mean, np.eye(wide.shape[1])
    values, vectors = np.linalg.eigh((wide - mean) @ (wide - mean).T)
    kept = values > 1e-10 * values.max(initial=0.0)
    basis = (vectors[:, kept] / np.sqrt(values[kept])).T @ (wide - mean)
    return mean, basis


SOLVERS: Mapping[str, Solver] = {"svm": linear_svm, "logistic": logistic, "ridge": ridge}
