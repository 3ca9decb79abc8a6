"""The examples in docstrings of the core are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import latentfu.core
import pytest

MODULES = [
    f"latentfu.core.{module.name}" for module in pkgutil.iter_modules(latentfu.core.__path__)
]


@pytest.mark.parametrize("name", [*MODULES, "latentfu.hookspecs"])
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    assert not doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed
