"""What a scorer may read of a picture of a person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from latentfu_builtin.people.factors import (
    HUES,
    PERSON_FACTOR_NAMES,
    PERSON_FACTORS,
    list_people,
    stretch_factors,
)


def list_people_factors() -> tuple[
    tuple[str, ...], tuple[int, ...], tuple[int, ...], Callable[[Tensor], Tensor]
]:
    """Names, columns of what is there or not, columns of hues, and normal numbers as factors."""
    presence = tuple(i for i, f in enumerate(PERSON_FACTORS) if f.kind == "on-off")
    circular = tuple(PERSON_FACTOR_NAMES.index(name) for name in HUES)
    return PERSON_FACTOR_NAMES, presence, circular, _make_people


def _make_people(normal: Tensor) -> Tensor:
    """Normal numbers ``[N, F]`` as the factors of people, each range stretched to -1..1."""
    scaled = stretch_factors(list_people(normal.numpy()))
    return torch.from_numpy(scaled.astype(np.float32)).reshape(normal.shape)
