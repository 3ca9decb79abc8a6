"""A server that nobody uses ends by itself after a time that its owner sets."""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.failures import WATCHING
from latentfu.http.state import STATE, AppState

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 5.0


@web.middleware
async def note_use(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remember when the server was last used, before and after the request."""
    state = request.app[STATE]
    if (request.method, request.path) in WATCHING:  # It only shows how the server is.
        return await handler(request)
    state.used = time.monotonic()
    try:
        return await handler(request)
    finally:
        state.used = time.monotonic()


async def stop_when_idle(state: AppState) -> None:
    """End the server when nothing was asked and nothing was done for ``state.idle_s``; 0: never."""
    while not state.stop.is_set():
        await asyncio.sleep(min(_LOOK_EVERY_S, max(0.1, state.idle_s / 5 or _LOOK_EVERY_S)))
        if state.service.queue.unfinished():
            state.used = time.monotonic()
        elif state.idle_s and time.monotonic() - state.used > state.idle_s:
            _log.info("not used for %.0f s: the server ends", state.idle_s)
            state.stop.set()
