"""Finds the portrait in a picture: five landmarks, and the standard crop from them."""

from latentfu_builtin.portraits.locator.locator import (
    CropFit,
    LocatedPortrait,
    Locator,
    fit_scale_and_shift,
    load_locator,
    locate_portrait,
    save_locator,
)

__all__ = [
    "CropFit",
    "LocatedPortrait",
    "Locator",
    "fit_scale_and_shift",
    "load_locator",
    "locate_portrait",
    "save_locator",
]
