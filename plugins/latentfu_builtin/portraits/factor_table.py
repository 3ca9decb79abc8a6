"""What a scorer may read of a drawn portrait."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from latentfu_builtin.portraits.renderer import FACTOR_NAMES, FACTORS, from_normal


def list_portrait_factors() -> tuple[
    tuple[str, ...], tuple[int, ...], tuple[int, ...], Callable[[Tensor], Tensor]
]:
    """Names, columns of what is there or not, columns of hues, and normal numbers as factors."""
    presence = tuple(i for i, f in enumerate(FACTORS) if f.kind == "presence")
    circular = tuple(i for i, f in enumerate(FACTORS) if "color circle" in f.plus)
    return tuple(FACTOR_NAMES), presence, circular, from_normal
