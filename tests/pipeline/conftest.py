"""An editor with the small world and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import latentfu_builtin.inversion.plugin
import pytest
from latentfu.pipeline.editor import Editor
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source

from tests.support import small_world


@pytest.fixture(scope="session")
def world() -> Registry:
    return Registry(
        [
            Source("small", "tests", "", lambda: small_world.PLUGIN),
            Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
        ]
    )


@pytest.fixture(scope="module")
def editor(world: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One for a whole file, as in the worker: what is cached must never be seen in a result."""
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, use_registry(world):
        patch.setenv("LATENTFU_HOME", str(home))
        yield Editor()


@pytest.fixture
def fresh(world: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty LATENTFU_HOME with the small world; gives the home."""
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    with use_registry(world):
        yield tmp_path
