"""The life of the server process: lock, listen, say where, serve, clean up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

import latentfu
from latentfu.core.errors import ServerError
from latentfu.http.app import make_app
from latentfu.http.listen import (
    HOW_TO_READ,
    is_loopback,
    open_socket,
    protocol_factory,
    reachable,
)
from latentfu.http.state import Front
from latentfu.jobs.limits import Limits
from latentfu.jobs.service import Shop
from latentfu.storage.paths import data_dir, make_private, server_path
from latentfu.storage.settings import (
    ServerAddress,
    read_address,
    read_or_make_token,
    remove_address,
    take_server_lock,
    write_address,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How to serve. ``worker_arguments`` go to the worker processes as they are."""

    host: str = "127.0.0.1"
    port: int | None = None
    devices: Sequence[str] = ("auto",)
    allow_remote: bool = False
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)
    worker_arguments: Sequence[str] = ()


def serve(settings: Settings, ready: Callable[[ServerAddress], None] = lambda _: None) -> None:
    """Serve until told to stop; raises ServerError when another server runs."""
    listening = open_socket(settings.host, settings.port, settings.allow_remote)
    lock = take_server_lock()
    if lock is None:
        listening.close()
        raise ServerError(_already_running())
    with lock, listening:
        server_path().unlink(missing_ok=True)  # Left by a server that died.
        _log_to_file(settings.log_level)
        asyncio.run(_serve(settings, listening, ready))


async def _serve(
    settings: Settings, listening: socket.socket, ready: Callable[[ServerAddress], None]
) -> None:
    shop = Shop(settings.devices, settings.limits, settings.worker_arguments)
    front = Front(shop, read_or_make_token(), remote=not is_loopback(settings.host))
    runner = web.AppRunner(
        make_app(front),
        shutdown_timeout=1.0,
        **HOW_TO_READ,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        _stop_on_signals(front.stop)
        server = await loop.create_server(
            protocol_factory(front, runner.server), sock=listening, backlog=512
        )
        address = ServerAddress(
            reachable(settings.host), listening.getsockname()[1], os.getpid(), latentfu.__version__
        )
        write_address(address)
        log.info("listening on %s, pid %s", address.url, address.pid)
        ready(address)
        await front.stop.wait()
        remove_address()
        server.close()
    finally:
        remove_address()
        await runner.cleanup()
        log.info("stopped")


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows stops by KeyboardInterrupt.
            loop.add_signal_handler(number, stop.set)


def _already_running() -> str:
    for _ in range(20):
        address = read_address()
        if address is not None:
            return f"A server is already running at {address.url} (process {address.pid})."
        time.sleep(0.1)
    return "A server is already starting: wait a moment."


def _log_to_file(level: str) -> None:
    folder = make_private(data_dir() / "log")
    handler = logging.handlers.RotatingFileHandler(
        folder / "server.log", maxBytes=1 << 20, backupCount=3, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    (folder / "server.log").chmod(0o600)
    logging.getLogger("latentfu").setLevel(level.upper())
    logging.getLogger("latentfu").addHandler(handler)
    logging.getLogger("aiohttp").addHandler(handler)
    logging.getLogger("asyncio").addHandler(handler)
