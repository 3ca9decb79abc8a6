from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu import Generator
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources

from tests.support.encoder_world import opened, weights


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights file of a generator of 16 px."""
    return weights(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def generator(small: Path) -> Generator:
    return opened(small)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """Of the same sizes with other weights."""
    return opened(weights(tmp_path_factory.mktemp("other"), seed=1))


MEAN_INVERTER = """
import latentfu

def invert(request):
    request.progress(0.0, "Taking the mean")
    quality = latentfu.Quality(10.0, 1.0, "none", 0.0)
    return latentfu.Inversion(request.generator.mean_latent(), quality, "mean")

@latentfu.hookimpl
def latentfu_inverters():
    return [latentfu.Inverter("mean", "The mean", ("w+",), invert)]
"""


@pytest.fixture
def house(isolated_home: Path) -> Iterator[Path]:
    """A home with an inverter that takes no time, and what is installed seen from there."""
    plugins = isolated_home / "config" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "mean_inverter.py").write_text(MEAN_INVERTER)
    with use_registry(Registry(all_sources())):
        yield isolated_home
