"""Servers for tests; imported by the conftest of each folder that talks to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for a whole file."""
    running = Server(tmp_path_factory.mktemp("home"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers with limits of their own; they are stopped after the test."""
    started: list[Server] = []

    def start_server(**options: Any) -> Server:
        started.append(Server(options.pop("home", tmp_path), **options))
        return started[-1]

    yield start_server
    for one in started:
        one.stop()
