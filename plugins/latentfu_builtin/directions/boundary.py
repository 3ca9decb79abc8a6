"""Boundaries between few and much of an attribute, and normals that leave others alone.

After Shen et al. 2020, InterFaceGAN (arXiv 2005.09635): a linear support vector machine on the
samples that the scorer is sure of; its normal is the direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError
from torch import Tensor

Doubles = npt.NDArray[np.float64]
HELD_OUT = 0.3
FEWEST = 20


@dataclass(frozen=True)
class Boundary:
    """``normal [K]`` of unit length, ``bias`` along it, ``accuracy`` on held-out samples."""

    normal: Tensor
    bias: float
    accuracy: float


def svm_boundary(p: Tensor, scores: Tensor, ends: float, seed: int) -> Boundary:
    """A linear SVM between the lowest and the highest ``ends`` (a part of N) of ``scores [N]``.

    p: coordinates ``[N, K]``. Raises BadInputError when the two ends can not be told apart
    because the samples do not differ.
    """
    from sklearn.svm import LinearSVC

    points, labels = confident_ends(p, scores, ends)
    order = np.random.default_rng(seed).permutation(len(labels))
    split = round(len(labels) * (1 - HELD_OUT))
    train, test = order[:split], order[split:]
    machine = LinearSVC(C=0.02, dual=False, max_iter=5000, random_state=seed)
    machine.fit(points[train], labels[train])
    weight = np.asarray(machine.coef_, dtype=np.float64)[0]
    length = float(np.linalg.norm(weight))
    if length == 0.0:
        raise BadInputError("The samples do not differ in this attribute: draw more of them.")
    accuracy = float((machine.predict(points[test]) == labels[test]).mean())
    bias = float(machine.intercept_[0]) / length
    return Boundary(torch.from_numpy(weight / length), bias, accuracy)


def confident_ends(p: Tensor, scores: Tensor, ends: float) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """The samples with the lowest and highest scores, and their labels 0 and 1."""
    count = round(len(scores) * ends)
    if not 0.0 < ends <= 0.5 or count < FEWEST:
        raise BadInputError(
            f"The ends are {ends} of {len(scores)} samples: take a part up to 0.5 that is at "
            f"least {FEWEST} samples."
        )
    order = torch.argsort(scores, stable=True)
    if float(scores[order[-count]]) <= float(scores[order[count - 1]]):
        raise BadInputError("The samples do not differ in this attribute: draw more of them.")
    chosen = torch.cat([order[:count], order[-count:]])
    labels = np.repeat(np.array([0, 1]), count)
    return p[chosen].double().numpy(), labels


def ridge_normals(p: Tensor, scores: Tensor, strength: float) -> Tensor:
    """Ridge regression of standardised ``scores [N, A]`` on p ``[N, K]`` -> slopes ``[A, K]``."""
    x = p.double()
    y = scores.double()
    y = (y - y.mean(dim=0)) / y.std(dim=0).clamp(min=1e-9)
    gram = x.T @ x + strength * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    slopes: Tensor = torch.linalg.solve(gram, x.T @ y).T
    return slopes


def explained(p: Tensor, scores: Tensor, slope: Tensor) -> float:
    """How often ``slope`` puts a pair of samples into the right order, 0..1 (0.5 is chance)."""
    guess, truth = p.double() @ slope, scores.double()
    half = len(guess) // 2
    right = (guess[:half] > guess[half : 2 * half]) == (truth[:half] > truth[half : 2 * half])
    return float(right.double().mean())


def without(normal: Tensor, others: Tensor) -> Tensor:
    """``normal [K]`` with no part along ``others [M, K]``, of unit length.

    InterFaceGAN's conditional manipulation for any number of conditions. Raises BadInputError
    when nothing is left.
    """
    if len(others):
        basis, _ = torch.linalg.qr(others.double().T)
        normal = normal - basis @ (basis.T @ normal)
    length = float(normal.norm())
    if length < 1e-3:
        raise BadInputError("Nothing of the direction is left: clean it of fewer attributes.")
    return normal / length
