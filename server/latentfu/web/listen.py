"""The listening socket, and how many connections it holds."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable

from aiohttp import web

from latentfu.errors import BadInputError, ServerError
from latentfu.web.keys import Front

DEFAULT_PORT = 7860
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


def protocol_factory(front: Front, server: web.Server) -> Callable[[], asyncio.Protocol]:
    """Makes a protocol per connection: refuses those above the limit, drops the silent ones."""
    limits = front.shop.limits

    def make() -> asyncio.Protocol:
        if len(server.connections) >= limits.max_connections:
            return _Refused()
        protocol = server()
        front.silent.add(protocol)
        asyncio.get_running_loop().call_later(limits.header_s, drop_if_silent, protocol)
        return protocol

    def drop_if_silent(protocol: web.RequestHandler) -> None:
        if protocol in front.silent:
            front.silent.discard(protocol)
            protocol.force_close()

    return make
