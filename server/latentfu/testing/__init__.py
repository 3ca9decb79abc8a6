"""For authors of plug-ins: checks of the contract, and pytest fixtures.

The fixtures are there as soon as ``latentfu`` is installed; the checks are plain functions that
raise AssertionError with a sentence. Importing this costs milliseconds: torch comes with the
first check.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_WHERE = {
    "TinyGenerator": "latentfu.testing.tiny",
    "check_controls": "latentfu.testing.checks",
    "check_generator": "latentfu.testing.checks",
    "check_inverter": "latentfu.testing.checks",
    "spec_of": "latentfu.testing.tiny",
    "tiny_spec": "latentfu.testing.tiny",
}

__all__ = [
    "TinyGenerator",
    "check_controls",
    "check_generator",
    "check_inverter",
    "spec_of",
    "tiny_spec",
]

if TYPE_CHECKING:
    from latentfu.testing.checks import check_controls, check_generator, check_inverter
    from latentfu.testing.tiny import TinyGenerator, spec_of, tiny_spec


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'latentfu.testing' has no attribute {name!r}")
