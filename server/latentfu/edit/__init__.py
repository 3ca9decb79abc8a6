"""The verbs in the order of the data's way: crop, invert, edit, render, paste.

``latentfu.edit(...)`` is also the public function of :mod:`latentfu.api`. Importing this package
makes Python put it in the function's place on ``latentfu``, so the package itself can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The same as ``latentfu.api.edit``."""
        from latentfu.api import edit

        return edit(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
