"""The listening socket, how many connections it holds, and how one is read."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import web

from latentfu.core.errors import BadInputError, ServerError
from latentfu.http.errors import error_reply
from latentfu.http.headers import ALWAYS
from latentfu.http.state import Front

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


def reachable(host: str) -> str:
    """Where a client on this machine finds a server bound to ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def open_socket(host: str, port: int | None, allow_remote: bool) -> socket.socket:
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
        answer = error_reply(code, "This request can not be read: it is no valid HTTP.", status)
        answer.headers.update(ALWAYS)
        answer.force_close()
        return answer


def protocol_factory(front: Front, server: web.Server) -> Callable[[], asyncio.Protocol]:
    """Makes a protocol per connection: refuses those above the limit, drops the silent ones."""
    limits = front.shop.limits
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        if len(server.connections) >= limits.max_connections:
            return _Refused()
        protocol = _Connection(server, loop=loop, **HOW_TO_READ)
        front.silent.add(protocol)
        loop.call_later(limits.header_s, drop_if_silent, protocol)
        return protocol

    def drop_if_silent(protocol: web.RequestHandler) -> None:
        if protocol in front.silent:
            front.silent.discard(protocol)
            protocol.force_close()

    return make
