"""The one way in which a check fails, and distances between tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: Two renders of the same code may differ by this much (sums in another order), of a range of 2.
SAME = 2e-3


def require(condition: bool, sentence: str) -> None:
    """Raise AssertionError with ``sentence`` unless ``condition``, under ``python -O`` too."""
    if not condition:
        raise AssertionError(sentence)


def finite(tensor: torch.Tensor) -> bool:
    """No NaN and no infinity in it."""
    return bool(tensor.isfinite().all())


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference of two tensors of one shape; infinite if the shapes differ."""
    return float((a - b).abs().max()) if a.shape == b.shape else float("inf")
