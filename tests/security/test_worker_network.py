"""Plug-ins in a server's worker have no network, unless a person has given it to them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.serving import Server, wait_until

Start = Callable[..., Server]
_TALKER = """
import socket, urllib.request
from latentfu import Route, hookimpl

def connect(request):
    socket.create_connection(("127.0.0.1", int(request.query["port"])), 2).close()
    return {"reached": True}

def load(request):
    return urllib.request.urlopen(f"http://127.0.0.1:{request.query['port']}", timeout=2).status

def ask_neighbor(request):
    one, other = socket.socketpair()
    one.send(b"here")
    return other.recv(4).decode()

@hookimpl
def latentfu_routes():
    return [
        Route("talker", "connect", "Connect", connect),
        Route("talker", "load", "Load", load),
        Route("talker", "ask-neighbor", "Ask", ask_neighbor),
    ]
"""
_CHECK = "from latentfu.sandbox.few_calls import forbid_network; print(forbid_network())"
needs_seccomp = pytest.mark.skipif(
    "True" not in subprocess.run([sys.executable, "-c", _CHECK], capture_output=True, text=True,
                                 check=False).stdout,
    reason="this system has no libseccomp",
)  # fmt: skip
_SAYS = "latentfu settings set worker network true"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody of the same machine who would hear."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def was_reached(listener: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


def settle(home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "latentfu", "settings", *words]
    environment = {"LATENTFU_HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=environment, check=True, capture_output=True)


@needs_seccomp
def test_a_plug_in_reaches_nobody_until_it_may(
    start: Start, tmp_path: Path, listener: socket.socket
) -> None:
    folder = tmp_path / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "talker.py").write_text(_TALKER)
    server = start(real=True)
    port = listener.getsockname()[1]
    for route in ("connect", "load"):
        status, body = server.get(f"/v1/plugins/talker/{route}?port={port}")
        assert status >= 400 and _SAYS in body["error"]["message"], body
    assert not was_reached(listener)
    assert server.get("/v1/plugins/talker/ask-neighbor") == (200, "here")

    held = server.worker_pid()
    settle(tmp_path, "set", "worker", "network", "true")
    connect = f"/v1/plugins/talker/connect?port={port}"
    wait_until(lambda: server.get(connect) == (200, {"reached": True}))
    assert was_reached(listener) and server.worker_pid() != held

    settle(tmp_path, "reset", "worker", "network")
    wait_until(lambda: server.get(connect)[0] >= 400)


@needs_seccomp
def test_what_a_plug_in_starts_has_none_either(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    inner = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
    outer = f"{_CHECK}\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', {inner!r}])"
    done = subprocess.run(
        [sys.executable, "-c", outer], capture_output=True, text=True, check=False, timeout=60
    )
    assert "Permission denied" in done.stderr
    assert not was_reached(listener)


@needs_seccomp
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_PACKET", "AF_VSOCK", "AF_BLUETOOTH"])
def test_no_family_of_sockets_leaves_the_machine(family: str) -> None:
    code = f"{_CHECK}\nimport socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert "True" in done.stdout
    assert "Permission denied" in done.stderr or "has no attribute" in done.stderr
