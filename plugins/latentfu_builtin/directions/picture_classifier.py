"""A classifier of pictures from a few hundred that a person sorted; it never scores those.

Edges and colors of the picture (and what an installed scorer sees in it, where there is one)
go into a logistic regression. Pictures that it learned from are scored by four others that did
not see them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError, Scorer
from torch import Tensor
from torch.nn import functional

_Floats = npt.NDArray[np.float32]
_FOLDS = 5
_FEWEST = 5
_SIDE, _CELLS, _BINS = 64, 8, 8


@dataclass(frozen=True)
class TrainedClassifier:
    """``score``: pictures ``[N, 3, R, R]`` -> ``[N, 1]``, higher for more.

    ``held_out_scores [N]``: scores of the pictures it was trained on, each by a fit that left it
    out. ``accuracy``: of those.
    """

    score: Callable[[Tensor], Tensor]
    held_out_scores: npt.NDArray[np.float64]
    accuracy: float


def train_classifier(
    images: Callable[[int], Tensor], labels: npt.NDArray[np.int64], scorer: Scorer | None, seed: int
) -> TrainedClassifier:
    """A classifier of ``labels [N]`` (0 or 1); ``images(i)`` gives picture i, ``[3, R, R]``.

    BadInputError with fewer than 5 pictures of a kind.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fewest = int(np.bincount(labels, minlength=2).min())
    if fewest < _FEWEST:
        raise BadInputError(
            f"Of one kind there are only {fewest} pictures: sort at least {_FEWEST} of each."
        )
    sees = _make_feature_reader(scorer)
    features = np.concatenate([sees(images(i)[None]) for i in range(len(labels))])
    machine: Any = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=2000, class_weight="balanced")
    )
    folds = StratifiedKFold(min(_FOLDS, fewest), shuffle=True, random_state=seed)
    own = cross_val_predict(machine, features, labels, cv=folds, method="decision_function")
    machine.fit(features, labels)

    def score(pictures: Tensor) -> Tensor:
        return torch.from_numpy(machine.decision_function(sees(pictures))[:, None])

    return TrainedClassifier(score, own, float(((own > 0) == (labels == 1)).mean()))


def _make_feature_reader(scorer: Scorer | None) -> Callable[[Tensor], _Floats]:
    """What is seen in pictures ``[N, 3, R, R]``: ``[N, F]``."""
    score = None if scorer is None else scorer.load("cpu")

    def see(pictures: Tensor) -> _Floats:
        pictures = pictures.float().cpu().clamp(-1, 1)
        parts = [_edge_histograms(pictures), _mean_colors(pictures)]
        if score is not None:
            parts.append(score(pictures).float().cpu())
        return torch.cat(parts, dim=1).detach().numpy()

    return see


def _mean_colors(pictures: Tensor) -> Tensor:
    """Mean colors of 12 x 12 places, ``[N, 432]``."""
    return functional.adaptive_avg_pool2d(pictures, 12).flatten(1)


def _edge_histograms(pictures: Tensor) -> Tensor:
    """How strong edges of 8 directions are in 8 x 8 places, ``[N, 512]`` (after Dalal, Triggs)."""
    gray = functional.interpolate(
        pictures.mean(dim=1, keepdim=True), size=(_SIDE, _SIDE), mode="bilinear", antialias=True,
        align_corners=False,
    )  # [N, 1, S, S]  # fmt: skip
    dx = functional.pad(gray[..., :, 2:] - gray[..., :, :-2], (1, 1, 0, 0))
    dy = functional.pad(gray[..., 2:, :] - gray[..., :-2, :], (0, 0, 1, 1))
    strength = torch.hypot(dx, dy)
    turn = (torch.atan2(dy, dx) % torch.pi) / torch.pi * _BINS  # 0..BINS
    bins = torch.arange(_BINS).reshape(1, _BINS, 1, 1) + 0.5
    away = (turn - bins).abs()
    share = (1 - torch.minimum(away, _BINS - away)).clamp(min=0)  # [N, BINS, S, S]
    cells = functional.adaptive_avg_pool2d(share * strength, _CELLS).flatten(1)
    found: Tensor = (cells / (cells.norm(dim=1, keepdim=True) + 1e-3)).sqrt()
    return found
