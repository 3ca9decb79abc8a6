"""The application, and the life of its process: lock, listen, say where, serve, clean up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

import latentfu
from latentfu.core.errors import BadInputError, ServerError, StorageError
from latentfu.core.paths import data_dir, make_private, server_path
from latentfu.core.process_memory import limited_memory
from latentfu.http.connections import READING, make_connections
from latentfu.http.failures import answer_failures
from latentfu.http.idle import note_use, stop_when_idle
from latentfu.http.log_files import PrivateLog
from latentfu.http.openapi import Endpoint, openapi_document
from latentfu.http.routes import about, jobs, layers, networks, plugins, studio
from latentfu.http.security import add_headers, check_body, check_host, check_origin, check_token
from latentfu.http.state import STATE, AppState
from latentfu.http.studio.serving import OpenDoor, open_door, serve_others
from latentfu.http.studio.settings import StudioSettings
from latentfu.jobs.service import JobService
from latentfu.jobs.store import Limits
from latentfu.protocol.remote_server import KnownServer
from latentfu.protocol.server_address import ServerAddress, read_address
from latentfu.storage.settings import (
    keep_token,
    read_idle_minutes,
    read_or_make_token,
    remove_address,
    take_server_lock,
    write_address,
)

MIDDLEWARES = (answer_failures, check_host, check_origin, check_token, note_use, check_body)
"""In the order in which a request passes them."""


async def openapi(request: web.Request) -> web.Response:
    """This interface as OpenAPI."""
    return web.json_response(openapi_document(ROUTES))


ROUTES: tuple[Endpoint, ...] = (
    *about.ROUTES,
    *layers.ROUTES,
    *jobs.ROUTES,
    *networks.ROUTES,
    *plugins.ROUTES,
    *studio.ROUTES,
    Endpoint("GET", "/v1/openapi.json", "This document", openapi, "openapi", role="edit"),
)


def make_app(state: AppState) -> web.Application:
    """The application for ``state``."""
    app = web.Application(middlewares=MIDDLEWARES)
    app[STATE] = state
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_open_service)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    return app


async def _open_service(app: web.Application) -> AsyncIterator[None]:
    service = app[STATE].service
    await service.open()
    yield
    await service.close()


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerSettings:
    """How to serve.

    ``studio``: the door for other people and machines; None: there is none.
    ``worker_arguments`` go to the worker processes as they are. ``stop_when_idle``: whether the
    server ends when nobody has used it for the time that its owner set (30 minutes).
    ``machines``: servers on other machines that work for this one.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    devices: Sequence[str] = ("auto",)
    allow_remote: bool = False
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)
    worker_arguments: Sequence[str] = ()
    stop_when_idle: bool = False
    studio: StudioSettings | None = None
    machines: Sequence[KnownServer] = ()


Ready = Callable[[ServerAddress, OpenDoor | None], None]
"""Called once the server listens: its own address, and the door for others."""


def serve(settings: ServerSettings, ready: Ready = lambda _address, _door: None) -> None:
    """Serve until told to stop; raises ServerError when another server runs."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(limited_memory(_MOST_MEMORY))
        # The door first: the loopback address takes another port where both want the same.
        door = open_door(settings.studio) if settings.studio else None
        if door is not None:
            stack.enter_context(door.listening)
        listening = _open_socket(settings.host, settings.port, settings.allow_remote)
        stack.enter_context(listening)
        lock = take_server_lock()
        if lock is None:
            raise ServerError(_already_running())
        stack.enter_context(lock)
        # Left by a server that died: whoever took its port since may have been given the token.
        try:
            died = server_path().exists()
            server_path().unlink(missing_ok=True)
            token = read_or_make_token(renew=died)
            _log_to_file(settings.log_level)
        except OSError as error:
            raise StorageError(
                f"The server cannot write its files: {error.strerror or error} ({error.filename})."
            ) from error
        asyncio.run(_serve(settings, listening, token, door, ready))


async def _serve(
    settings: ServerSettings,
    listening: socket.socket,
    token: str,
    door: OpenDoor | None,
    ready: Ready,
) -> None:
    service = JobService(
        settings.devices, settings.limits, settings.worker_arguments, settings.machines
    )
    state = AppState(service, token, remote=not is_loopback(settings.host))
    if settings.stop_when_idle:
        state.idle_s = 60.0 * read_idle_minutes()
    runner = web.AppRunner(
        make_app(state),
        shutdown_timeout=1.0,
        **READING,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        _stop_on_signals(state.stop)
        server = await loop.create_server(
            make_connections(state, runner.server), sock=listening, backlog=512
        )
        address = ServerAddress(
            _reachable(settings.host), listening.getsockname()[1], os.getpid(), latentfu.__version__
        )
        write_address(address)
        log.info("listening on %s, pid %s", address.url, address.pid)
        watching = [asyncio.create_task(task(state)) for task in (_keep_token, stop_when_idle)]
        async with serve_others(door, state, ROUTES) if door else contextlib.nullcontext():
            ready(address, door)
            await state.stop.wait()
        for task in watching:
            task.cancel()
        remove_address()
        server.close()
    finally:
        remove_address()
        await runner.cleanup()
        log.info("stopped")


async def _keep_token(state: AppState) -> None:
    """Notice every two seconds that the token file was changed or lost."""
    while True:
        await asyncio.sleep(2.0)
        try:
            state.token = await asyncio.to_thread(keep_token, state.token)
        except StorageError as error:
            log.error("the token is lost and cannot be written: %s", error)


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
    handler = PrivateLog(folder / "server.log", maxBytes=1 << 20, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("latentfu").setLevel(level.upper())
    logging.getLogger("latentfu").addHandler(handler)
    logging.getLogger("aiohttp").addHandler(handler)
    logging.getLogger("asyncio").addHandler(handler)


DEFAULT_PORT = 7860
_MOST_MEMORY = 2 << 30
"""Bytes; with 200 clients it holds 60 MB, and each of its threads counts 8 MB."""
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
            f"{host} can be reached from other machines: use 127.0.0.1, or --listen https://{host} "
            "for users with TLS and tokens of their own (--allow-remote: plain http, one token)."
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
