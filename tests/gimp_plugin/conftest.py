"""The plug-in's parts that need no GIMP, loaded from where they lie, and a small server."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.stand_in_server import StandIn

PACKAGE = Path(__file__).parents[2] / "gimp_plugin" / "latentfu" / "latentfu_gimp"


def _load(name: str, path: Path, *folders: str) -> ModuleType:
    # Not through sys.path: beside the package lies latentfu.py, which would hide our own package.
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=list(folders) or None
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


os.environ["LANGUAGE"] = "en"  # The texts as they stand in the code, whoever runs the tests.
_load("latentfu_gimp", PACKAGE / "__init__.py", str(PACKAGE))
Serve = Callable[..., StandIn]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Starts a stand-in server (``behave``) that the plug-in finds."""
    running = []

    def start(behave: str = "") -> StandIn:
        server = StandIn(behave)
        server.write_address(home)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()
