"""The connections of the server: how many, how long they may be silent, and what is no HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web

from latentfu.http.failures import error_reply, strangers
from latentfu.http.security import ALWAYS
from latentfu.http.state import AppState

_log = logging.getLogger(__name__)

READING: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,
    "lingering_time": 3.0,
    # Also the time in which the headers of a second request must have come.
    "keepalive_timeout": 15.0,
}
"""How aiohttp reads requests here."""


def make_connections(state: AppState, server: web.Server) -> Callable[[], asyncio.Protocol]:
    """What makes the protocol of each new connection.

    Above ``max_connections`` the connection that has been silent longest gives way, so that
    nobody without the token keeps its owner out: whoever has it speaks at once. Where none is
    silent the new one is refused.
    """
    limits = state.service.limits
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        if len(server.connections) >= limits.max_connections:
            if not state.silent:
                return _Refused()
            drop_silent(state, next(iter(state.silent)))
        protocol = HttpConnection(server, loop=loop, **READING)
        limit_silence(state, protocol)
        return protocol

    return make


def limit_silence(state: AppState, protocol: web.RequestHandler) -> None:
    """Close the connection unless a whole request has come within ``header_s``."""
    state.silent[protocol] = None
    asyncio.get_running_loop().call_later(
        state.service.limits.header_s, drop_silent, state, protocol
    )


def drop_silent(state: AppState, protocol: web.RequestHandler) -> None:
    """Close the connection if no whole request has come yet."""
    if protocol in state.silent:
        del state.silent[protocol]
        protocol.force_close()


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class HttpConnection(web.RequestHandler):
    """Answers what is no HTTP at all as everything else: one JSON sentence, all headers.

    And it stays closed if it was closed before it was made, as happens where many come at once:
    aiohttp would keep such a connection open for ever.
    """

    __slots__ = ("_is_dropped",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_dropped = False

    def force_close(self) -> None:
        self._is_dropped = True
        super().force_close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._is_dropped:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """aiohttp's own answer and its log would repeat what was sent, a token perhaps."""
        what = type(exc).__name__ if exc is not None else status
        strangers.write(_log, "what %s sends is not HTTP (%s)", request.remote, what)
        writer = request.writer
        if writer.output_size > 0:
            raise ConnectionError("An answer has begun already: there cannot be another.")
        code = "internal" if status >= 500 else "bad_input"
        answer = error_reply(code, "This request cannot be read: it is not a valid HTTP.", status)
        answer.headers.update(ALWAYS)
        answer.force_close()
        return answer
