"""The procedures, one module each: its ``NAME``, and ``create(plug_in)`` which gives it to GIMP.

A module may have an ``ICON`` as well, the name of one in GIMP's theme.

A new module here is a new procedure; nothing else lists it.
"""

from __future__ import annotations

import importlib
import pkgutil

from gi.repository import Gimp

from .common import MENU

_MODULES = [
    importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
    if module.name != "common"
]
FALLBACK_ICON = "gimp-portrait"
NAMES = tuple(str(module.NAME) for module in _MODULES)


def create(plug_in: Gimp.PlugIn, name: str) -> Gimp.Procedure | None:
    """The procedure called ``name``."""
    module = next((module for module in _MODULES if name == module.NAME), None)
    if module is None:
        return None
    procedure: Gimp.Procedure = module.create(plug_in)
    procedure.set_attribution("The Latent-Fu authors", "The Latent-Fu authors", "2026")
    procedure.add_menu_path(MENU)
    procedure.set_icon_name(getattr(module, "ICON", FALLBACK_ICON))
    return procedure
