"""The fixtures, found by pytest through the entry-point group ``pytest11``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from latentfu.plugin_manager import Registry
    from latentfu.testing.tiny import LayeredGenerator, TinyGenerator


@pytest.fixture
def isolated_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty LATENTFU_HOME outside ``tmp_path``: settings, data and cache of this test alone."""
    home = tmp_path_factory.mktemp("latentfu-home")
    monkeypatch.setenv("LATENTFU_HOME", str(home))
    return home


@pytest.fixture
def tiny_generator() -> TinyGenerator:
    """A small random generator with nothing but a z space: 8 numbers to 16 x 16 pixels."""
    from latentfu.testing.tiny import TinyGenerator

    return TinyGenerator()


@pytest.fixture
def layered_generator() -> LayeredGenerator:
    """The same with one layer that it shows: it can be deformed."""
    from latentfu.testing.tiny import LayeredGenerator

    return LayeredGenerator()


@pytest.fixture
def registered(isolated_home: Path) -> Iterator[Callable[..., Registry]]:
    """``registered(plugin, ...)``: a registry with the installed plug-ins and these after them.

    Until the test ends it is what the whole process uses. A plug-in with a fault is quarantined,
    as it would be for a user: look into ``statuses()``.
    """
    from latentfu.plugin_manager import Registry, use_registry
    from latentfu.plugin_manager.sources import Source, all_sources

    with ExitStack() as stack:

        def register(*plugins: object) -> Registry:
            added = [
                Source(_name(plugin), "registered by a test", "", lambda found=plugin: found)  # type: ignore[misc]
                for plugin in plugins
            ]
            return stack.enter_context(use_registry(Registry([*all_sources(), *added])))

        yield register


def _name(plugin: object) -> str:
    own = getattr(plugin, "__name__", type(plugin).__name__)
    return str(own).replace(".", "-").lower()
