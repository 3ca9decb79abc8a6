"""Servers for tests; imported by the conftest of each folder that talks to one."""

import pytest
from serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("home"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def start(tmp_path):
    """Start servers with limits of their own; they are stopped after the test."""
    started = []

    def start_server(**options):
        started.append(Server(options.pop("home", tmp_path), **options))
        return started[-1]

    yield start_server
    for one in started:
        one.stop()
