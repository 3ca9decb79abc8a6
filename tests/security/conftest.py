"""Studios for the tests of attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio import Studio


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Start studios with limits of their own; they are stopped after the test."""
    opened: list[Studio] = []

    def make(**options: Any) -> Studio:
        opened.append(Studio(options.pop("home", tmp_path / "studio"), **options))
        return opened[-1]

    yield make
    for one in opened:
        one.stop()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One for a whole file."""
    opened = Studio(tmp_path_factory.mktemp("studio"))
    yield opened
    assert opened.stop() == 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LATENTFU_HOME of the test alone, not yet made."""
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
