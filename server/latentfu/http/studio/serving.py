"""The application for other machines, from its certificate to the end of its last connection."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from latentfu.core.errors import LatentFuError
from latentfu.core.paths import data_dir, make_private
from latentfu.http.connections import READING
from latentfu.http.failures import answer_failures
from latentfu.http.idle import note_use
from latentfu.http.openapi import Endpoint
from latentfu.http.security import add_headers, check_body
from latentfu.http.state import STATE, AppState
from latentfu.http.studio.audit import keep_audit, open_audit_log
from latentfu.http.studio.door import StudioDoor
from latentfu.http.studio.guard import (
    ROLES,
    check_called_name,
    check_rate_and_role,
    check_user,
    list_roles,
    see_through_proxy,
)
from latentfu.http.studio.rates import RateLimiter
from latentfu.http.studio.settings import StudioSettings, open_listener
from latentfu.http.studio.state import STUDIO, StudioState
from latentfu.protocol.server_address import PROOF_PATH
from latentfu.storage.certificate import (
    ServerCertificate,
    find_certificate,
    list_own_names,
    read_host_names,
)

MIDDLEWARES = (
    see_through_proxy,
    keep_audit,
    answer_failures,
    check_called_name,
    check_user,
    check_rate_and_role,
    note_use,
    check_body,
)
"""In the order in which a request passes them."""

_OWNERS_ONLY = (PROOF_PATH, "/v1/idle-stop")
"""What has no meaning for other machines."""

_EVERY_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenDoor:
    """A door that listens: where, and the fingerprint that clients compare."""

    settings: StudioSettings
    listening: socket.socket
    certificate: ServerCertificate
    context: ssl.SSLContext

    @property
    def url(self) -> str:
        """The address for people; the name is this machine's where it listens on all addresses."""
        host, port = self.settings.host, self.listening.getsockname()[1]
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def open_door(settings: StudioSettings) -> OpenDoor:
    """Find or make the certificate and listen; raises LatentFuError in one sentence."""
    certificate = find_certificate(settings.certificate, settings.key, settings.names)
    context = certificate.make_context()
    return OpenDoor(settings, open_listener(settings.host, settings.port), certificate, context)


@asynccontextmanager
async def serve_others(
    door: OpenDoor, owners: AppState, routes: tuple[Endpoint, ...]
) -> AsyncIterator[None]:
    """Let users in as long as the block runs; ``owners``: the state of the loopback address."""
    limits = owners.service.limits
    state = dataclasses.replace(owners, remote=True, silent={})
    names = {
        *door.settings.names,
        *list_own_names(),
        *read_host_names(door.certificate.certificate),
    }
    studio = StudioState(
        names={name.lower().rstrip(".") for name in names},
        proxies=frozenset(door.settings.proxies),
        requests=RateLimiter(limits.user_requests_s, limits.user_burst),
        failures=RateLimiter(limits.address_failures / 60.0, limits.address_failures),
        audit=await asyncio.to_thread(lambda: open_audit_log(make_private(data_dir() / "log"))),
    )
    runner = web.AppRunner(_make_app(state, studio, routes), shutdown_timeout=1.0, **READING)
    await runner.setup()
    assert runner.server is not None
    listener = StudioDoor(state, studio, runner.server, door.listening, door.context)
    work = (listener.run(), _end_revoked(state), _renew_certificate(door))
    tasks = [asyncio.create_task(each) for each in work]
    _log.info("others are let in at %s", door.url)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.close()
        await runner.cleanup()


def _make_app(
    state: AppState, studio: StudioState, routes: tuple[Endpoint, ...]
) -> web.Application:
    app = web.Application(middlewares=MIDDLEWARES)
    shown = tuple(route for route in routes if route.path not in _OWNERS_ONLY)
    app[STATE], app[STUDIO], app[ROLES] = state, studio, list_roles(shown)
    app.on_response_prepare.append(add_headers)
    for route in shown:
        app.router.add_route(route.method, route.path, route.handler)
    return app


async def _end_revoked(state: AppState) -> None:
    """End the jobs of users whose token was revoked; a damaged list ends nobody's."""
    while True:
        await asyncio.sleep(_EVERY_S)
        known = {user.id for user in state.users.read()}
        if state.users.is_damaged:
            continue
        owners = {job.owner for job in state.service.queue.unfinished()}
        for owner in owners - known - {""}:
            try:
                ended = await state.service.queue.cancel_all(owner)
                _log.info("%d jobs of a revoked user were ended", ended)
            except LatentFuError as error:
                _log.error("the jobs of a revoked user could not be ended: %s", error)


async def _renew_certificate(door: OpenDoor) -> None:
    """Take up a renewed certificate for the next connections, as its files change."""
    stamp = _stamp(door.certificate)
    while True:
        await asyncio.sleep(_EVERY_S)
        now = _stamp(door.certificate)
        if now == stamp or now is None:
            continue
        try:
            door.context.load_cert_chain(door.certificate.certificate, door.certificate.key)
        except (OSError, ssl.SSLError) as error:  # half of it may not have come yet
            _log.error("the certificate could not be renewed: %s", error)
            continue
        stamp = now
        _log.info("the certificate was renewed")


def _stamp(certificate: ServerCertificate) -> tuple[int, ...] | None:
    try:
        return tuple(path.stat().st_mtime_ns for path in _files(certificate))
    except OSError:
        return None


def _files(certificate: ServerCertificate) -> tuple[Path, Path]:
    return certificate.certificate, certificate.key
