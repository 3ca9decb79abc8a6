"""The network of people is switched on here, as it is for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources


@pytest.fixture(scope="package", autouse=True)
def people_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh LATENTFU_HOME that the tests of this folder share, with what is shipped alone."""
    home = tmp_path_factory.mktemp("people-home")
    with pytest.MonkeyPatch.context() as patch, use_registry(Registry(all_sources())):
        patch.delenv("LATENTFU_DISABLED_PLUGINS", raising=False)
        patch.setenv("LATENTFU_HOME", str(home))
        yield home
