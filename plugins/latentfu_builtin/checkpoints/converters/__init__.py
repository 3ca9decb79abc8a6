"""One module for each format of another project; :func:`list_formats` finds them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from latentfu_builtin.checkpoints.formats import ForeignFormat


@cache
def list_formats() -> tuple[ForeignFormat, ...]:
    """The declared formats, in the order of their modules' names."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").FORMAT for name in modules)
