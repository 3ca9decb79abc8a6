"""Finds the portrait in a picture: five landmarks, and the standard crop from them."""

from latentfu_builtin.portraits.locator.crop import CropFit, fit_scale_and_shift
from latentfu_builtin.portraits.locator.locate import Found, locate
from latentfu_builtin.portraits.locator.network import Locator, load_locator, save_locator

__all__ = [
    "CropFit",
    "Found",
    "Locator",
    "fit_scale_and_shift",
    "load_locator",
    "locate",
    "save_locator",
]
