"""The listener for other machines: few connections from one address, TLS, then HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from aiohttp import web

from latentfu.http.connections import READING, HttpConnection, drop_silent, limit_silence
from latentfu.http.state import AppState
from latentfu.http.studio.state import StudioState

_log = logging.getLogger(__name__)
_PAUSE_S = 0.2


class StudioDoor:
    """Takes connections in; each is counted before its TLS handshake, which has a time limit."""

    def __init__(
        self,
        state: AppState,
        studio: StudioState,
        server: web.Server,
        listening: socket.socket,
        context: ssl.SSLContext,
    ) -> None:
        self._state = state
        self._studio = studio
        self._server = server
        self._listening = listening
        self._context = context
        self._greeting: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._listening)
            except OSError as error:  # no descriptors are left, or the peer is gone already
                _log.warning("a connection could not be taken: %s", error)
                await asyncio.sleep(_PAUSE_S)
                continue
            address = str(peer[0])
            if not self._has_room(address):
                self._studio.refused_connections += 1
                connection.close()
                continue
            self._studio.open[address] = self._studio.open.get(address, 0) + 1
            task = asyncio.create_task(self._greet(connection, address))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def close(self) -> None:
        """Drop who has not been greeted yet."""
        for task in self._greeting:
            task.cancel()
        await asyncio.gather(*self._greeting, return_exceptions=True)

    def _has_room(self, address: str) -> bool:
        limits = self._state.service.limits
        own = self._studio.open.get(address, 0)
        if own >= limits.address_connections and address not in self._studio.proxies:
            return False
        if sum(self._studio.open.values()) < limits.max_connections:
            return True
        if not self._state.silent:
            return False
        drop_silent(self._state, next(iter(self._state.silent)))
        return True

    async def _greet(self, connection: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        release = _Once(lambda: self._release(address))
        protocol = _CountedConnection(self._server, loop=loop, **READING)
        protocol.on_lost = release
        try:
            await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=self._state.service.limits.header_s,
            )
        except (OSError, ssl.SSLError) as error:  # no TLS, or none that came in time
            _log.debug("%s did not greet: %s", address, error)
            connection.close()
            release()
        except asyncio.CancelledError:
            connection.close()
            release()
            raise
        else:
            limit_silence(self._state, protocol)

    def _release(self, address: str) -> None:
        left = self._studio.open.get(address, 1) - 1
        if left > 0:
            self._studio.open[address] = left
        else:
            self._studio.open.pop(address, None)


class _Once:
    """Calls what it is given the first time that it is called."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class _CountedConnection(HttpConnection):
    __slots__ = ("on_lost",)

    on_lost: _Once

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.on_lost()
