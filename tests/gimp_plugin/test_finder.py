"""Finding a server: a stranger on its port, a lost token, an earlier version."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from latentfu_gimp import finder
from latentfu_gimp.errors import PluginError, SilentServerError, TokenLostError

from tests.support.stranger import stranger_on_port


def answer_as_a_page(path: str, port: int) -> tuple[int, bytes]:
    """A page for everything, as a web interface on our port would give."""
    return (404 if "v1" in path else 200), b"<html>another program</html>"


@pytest.fixture
def program(home: Path) -> Iterator[Callable[[str], Path]]:
    """Names this Python as the one that starts the server, of some version."""
    config = home / "config"
    config.mkdir(parents=True, exist_ok=True)

    def name(version: str) -> Path:
        content = {"python": sys.executable, "version": version}
        (config / "program.json").write_text(json.dumps(content))
        return config

    yield name
    finder.stop()


def ask_pid(said: list[str] | None = None) -> int:
    """The process of the server that :func:`finder.connect` finds or starts."""
    told: list[str] = [] if said is None else said
    with finder.connect(lambda _part, text: told.append(text)) as client:
        return int(client.get("/v1/health")["pid"])


def test_a_stranger_on_the_port_never_sees_the_token(home: Path, program: Any) -> None:
    """A server that crashed left its address, and another program listens there."""
    with stranger_on_port(answer_as_a_page) as stranger:
        config = program("0")
        address = {"host": "127.0.0.1", "port": stranger.server_port, "pid": 1}
        (config / "server.json").write_text(json.dumps(address))
        (config / "token").write_text("a-secret-of-this-installation\n")
        assert finder.find() is None
        assert finder.stop() is False
        with finder.connect() as client:
            assert client.port != stranger.server_port
            assert client.get("/v1/health")["status"] == "ok"
    assert stranger.heard and not stranger.was_sent("Authorization", "secret")


def test_a_lost_token_and_an_earlier_server_are_mended(home: Path, program: Any) -> None:
    """A real server: it is ended and a new one started, once it is known to be a server."""
    config = program("0")
    first = ask_pid()
    (config / "token").unlink()
    with pytest.raises(TokenLostError, match=str(first)):
        finder.find()
    said: list[str] = []
    second = ask_pid(said)
    assert second != first and "anew" in said[0]
    (config / "token").write_text("a wrong one, as of another installation\n")
    third = ask_pid()
    assert third not in (first, second)
    assert ask_pid() == third, "one that fits is left alone"
    program("99.0")
    said.clear()
    assert ask_pid(said) != third and "earlier version" in said[0]
    assert finder.stop() and finder.find() is None


def test_a_server_that_hangs_is_replaced(home: Path, program: Any, monkeypatch: Any) -> None:
    """It is stopped in mid-air: it neither answers nor ends when it is asked to."""
    program("0")
    first = ask_pid()
    monkeypatch.setattr(finder, "BUSY", 1.0)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(SilentServerError, match=f"{first}.*restart it"):
        finder.find(1.0)
    said: list[str] = []
    second = ask_pid(said)
    assert second != first and "waiting" in said[0] and "anew" in said[1]
    assert ask_pid() == second


def test_one_that_is_only_slow_is_waited_for(home: Path, program: Any) -> None:
    program("0")
    first = ask_pid()
    os.kill(first, signal.SIGSTOP)
    threading.Timer(7.0, os.kill, (first, signal.SIGCONT)).start()
    said: list[str] = []
    assert ask_pid(said) == first and "waiting" in said[0]


def test_one_that_refuses_for_a_moment_is_not_hurried(home: Path, program: Any) -> None:
    """As one does that starts or ends: its process is there, and nothing listens yet."""
    config = program("0")
    first = ask_pid()
    address = (config / "server.json").read_text()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (config / "server.json").write_text(json.dumps({**json.loads(address), "port": port}))
    threading.Timer(1.5, (config / "server.json").write_text, (address,)).start()
    said: list[str] = []
    assert ask_pid(said) == first and "waiting" in said[0]


def test_no_other_process_is_ever_ended(home: Path, serve: Any) -> None:
    """The number in the file may be another program's by now."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    serve()
    config = home / "config"
    address = json.loads((config / "server.json").read_text())
    (config / "server.json").write_text(json.dumps({**address, "pid": sleeper.pid}))
    (config / "token").write_text("wrong")
    try:
        with pytest.raises(PluginError, match="restart it"):
            finder.connect()
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize(
    ("running", "installed", "old"),
    [("0.1.0", "0.2.0", True), ("0.10.0", "0.9.0", False), ("0.2.0", "0.2.0", False)],
)
def test_versions_are_compared_as_numbers(
    program: Any, running: str, installed: str, old: bool
) -> None:
    config = program(installed)
    address = config / "server.json"
    address.write_text("{}")
    os.utime(address, (1, 1))
    assert finder.is_outdated({"version": running}) is old
    os.utime(address)
    assert not finder.is_outdated({"version": running}), "it was started after the installation"
