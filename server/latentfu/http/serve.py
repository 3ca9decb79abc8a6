"""The life of the server process: lock, listen, say where, serve, clean up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import logging.handlers
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

import latentfu
from latentfu.core.errors import BadInputError, ServerError
from latentfu.core.paths import data_dir, make_private, server_path
from latentfu.http.app import make_app
from latentfu.http.failures import error_reply
from latentfu.http.security import ALWAYS
from latentfu.http.state import AppState
from latentfu.jobs.job import Limits
from latentfu.jobs.service import JobService
from latentfu.protocol.server_address import ServerAddress, read_address
from latentfu.storage.settings import (
    read_or_make_token,
    remove_address,
    take_server_lock,
    write_address,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerSettings:
    """How to serve. ``worker_arguments`` go to the worker processes as they are."""

    host: str = "127.0.0.1"
    port: int | None = None
    devices: Sequence[str] = ("auto",)
    allow_remote: bool = False
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)
    worker_arguments: Sequence[str] = ()


def serve(
    settings: ServerSettings, ready: Callable[[ServerAddress], None] = lambda _: None
) -> None:
    """Serve until told to stop; raises ServerError when another server runs."""
    listening = _open_socket(settings.host, settings.port, settings.allow_remote)
    lock = take_server_lock()
    if lock is None:
        listening.close()
        raise ServerError(_already_running())
    with lock, listening:
        server_path().unlink(missing_ok=True)  # Left by a server that died.
        _log_to_file(settings.log_level)
        asyncio.run(_serve(settings, listening, ready))


async def _serve(
    settings: ServerSettings, listening: socket.socket, ready: Callable[[ServerAddress], None]
) -> None:
    service = JobService(settings.devices, settings.limits, settings.worker_arguments)
    state = AppState(service, read_or_make_token(), remote=not is_loopback(settings.host))
    runner = web.AppRunner(
        make_app(state),
        shutdown_timeout=1.0,
        **HOW_TO_READ,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        _stop_on_signals(state.stop)
        server = await loop.create_server(
            _protocol_factory(state, runner.server), sock=listening, backlog=512
        )
        address = ServerAddress(
            _reachable(settings.host), listening.getsockname()[1], os.getpid(), latentfu.__version__
        )
        write_address(address)
        log.info("listening on %s, pid %s", address.url, address.pid)
        ready(address)
        await state.stop.wait()
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


DEFAULT_PORT = 7860
HOW_TO_READ: dict[str, Any] = {"access_log": None, "auto_decompress": False, "lingering_time": 3.0}
_BACKLOG = 512


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reachable(host: str) -> str:
    """Where a client on this machine finds a server bound to ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _open_socket(host: str, port: int | None, allow_remote: bool) -> socket.socket:
    """Bind; ``port`` None: 7860 or any free one. Raises BadInputError or ServerError."""
    if not is_loopback(host) and not allow_remote:
        raise BadInputError(
            f"{host} can be reached from other machines: use 127.0.0.1, or add --allow-remote "
            "if you want that (the token is still needed)."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if port is not None:
            return socket.create_server((host, port), family=family, backlog=_BACKLOG)
        try:
            return socket.create_server((host, DEFAULT_PORT), family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return socket.create_server((host, 0), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise ServerError(f"Could not listen on {host} port {port}: {error}.") from error


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Connection(web.RequestHandler):
    """Answers what is no HTTP at all as everything else: one JSON sentence, all headers."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """aiohttp's own answer would show its version and repeat what was sent."""
        super().handle_error(request, status, exc, message)  # Logs, or refuses: already answering.
        code = "internal" if status >= 500 else "bad_input"
        answer = error_reply(code, "This request cannot be read: it is not a valid HTTP.", status)
        answer.headers.update(ALWAYS)
        answer.force_close()
        return answer


def _protocol_factory(state: AppState, server: web.Server) -> Callable[[], asyncio.Protocol]:
    """Makes a protocol per connection: refuses those above the limit, drops the silent ones."""
    limits = state.service.limits
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        if len(server.connections) >= limits.max_connections:
            return _Refused()
        protocol = _Connection(server, loop=loop, **HOW_TO_READ)
        state.silent.add(protocol)
        loop.call_later(limits.header_s, drop_if_silent, protocol)
        return protocol

    def drop_if_silent(protocol: web.RequestHandler) -> None:
        if protocol in state.silent:
            state.silent.discard(protocol)
            protocol.force_close()

    return make
