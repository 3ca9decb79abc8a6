"""A parametric renderer of head-and-shoulders portraits in pure torch."""

from latentfu_builtin.portraits.renderer.factors import (
    FACTOR_NAMES,
    FACTORS,
    Factor,
    from_normal,
    sample,
)
from latentfu_builtin.portraits.renderer.render import earrings, landmarks, render
from latentfu_builtin.portraits.renderer.view import PortraitPlacement, crop_quad

__all__ = [
    "FACTORS",
    "FACTOR_NAMES",
    "Factor",
    "PortraitPlacement",
    "crop_quad",
    "earrings",
    "from_normal",
    "landmarks",
    "render",
    "sample",
]
