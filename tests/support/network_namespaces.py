"""Two machines with a cable between them, and somebody who listens on the cable (Linux, root)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SERVER_ADDRESS, CLIENT_ADDRESS = "10.213.7.1", "10.213.7.2"
_EVERYTHING = 3  # ETH_P_ALL


def can_make_namespaces() -> bool:
    """Whether this process may: root, with the tool, and a system that lets it."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"lf-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return False
    subprocess.run(["ip", "netns", "del", name], check=False)
    return True


@dataclass
class TwoMachines:
    """Names of the namespaces; a command begins with ``at_server`` or ``at_client``."""

    server: str
    client: str
    heard: list[bytes] = field(default_factory=list)

    @property
    def at_server(self) -> list[str]:
        return ["ip", "netns", "exec", self.server]

    @property
    def at_client(self) -> list[str]:
        return ["ip", "netns", "exec", self.client]

    @property
    def on_the_cable(self) -> bytes:
        """All that has gone over it."""
        return b"".join(self.heard)


@contextmanager
def two_machines() -> Iterator[TwoMachines]:
    """Both with a loopback of their own and one cable; all frames are heard."""
    number = os.getpid()
    machines = TwoMachines(f"lf-server-{number}", f"lf-client-{number}")
    try:
        for name in (machines.server, machines.client):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip(
            *("link", "add", "lf0", "netns", machines.server, "type", "veth"),
            *("peer", "name", "lf0", "netns", machines.client),
        )
        addresses = (machines.server, SERVER_ADDRESS), (machines.client, CLIENT_ADDRESS)
        for name, address in addresses:
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "lf0")
            _ip("-n", name, "link", "set", "lf0", "up")
        with _listening(machines):
            yield machines
    finally:
        for name in (machines.server, machines.client):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def _listening(machines: TwoMachines) -> Iterator[None]:
    """A raw socket in the client's namespace; a thread of its own may live in another."""
    ready, stop = threading.Event(), threading.Event()

    def listen() -> None:
        with open(f"/run/netns/{machines.client}", "rb") as place:  # noqa: PTH123
            _enter(place.fileno())
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERYTHING)) as raw:
            raw.bind(("lf0", 0))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
            raw.settimeout(0.2)
            ready.set()
            while not stop.is_set():
                try:
                    machines.heard.append(raw.recv(1 << 17))
                except TimeoutError:
                    continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert ready.wait(10), "nobody listens"
        yield
    finally:
        stop.set()
        thread.join()


def _enter(descriptor: int) -> None:
    """setns(2) of this thread; Python has it from 3.12 on."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0):
        raise OSError(ctypes.get_errno(), "setns")
