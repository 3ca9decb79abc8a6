from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from PIL import Image

from tests.support import small_house


@pytest.fixture(autouse=True)
def own_home(isolated_home: Path) -> None:
    """No test of the program looks into the real home."""


@pytest.fixture
def house(isolated_home: Path) -> Iterator[Path]:
    """A home with the small house installed; gives the home."""
    small_house.build(isolated_home)
    with use_registry(Registry(all_sources())):
        yield isolated_home


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A 90 x 70 RGBA picture with a soft pattern and a transparent corner."""
    y, x = np.mgrid[0:70, 0:90]
    channels = [x * 2, y * 3, (x + y) % 256, np.where(x + y < 30, 0, 255)]
    path = tmp_path / "photo.png"
    Image.fromarray(np.stack(channels, axis=2).astype(np.uint8)).save(path)
    return path
