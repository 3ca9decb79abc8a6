"""Every failure becomes one JSON sentence, and every request a line in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.core.errors import LatentFuError
from latentfu.http.state import STATE
from latentfu.protocol.errors import STATUS
from latentfu.protocol.server_address import PROOF_PATH


@dataclass
class LineBudget:
    """Log lines about requests that carry no token: ``lines`` in ``seconds``, then their number.

    Without it whoever reaches the port could push everything else out of the log.
    """

    lines: int = 20
    seconds: float = 60.0
    _since: float = field(default=float("-inf"), init=False)
    _written: int = field(default=0, init=False)
    _left_out: int = field(default=0, init=False)

    def write(self, log: logging.Logger, text: str, *values: object) -> None:
        """One line, or none where the budget is spent."""
        now = time.monotonic()
        if now - self._since >= self.seconds:
            if self._left_out:
                log.info("%d lines about requests without a token were left out", self._left_out)
            self._since, self._written, self._left_out = now, 0, 0
        if self._written < self.lines:
            self._written += 1
            log.info(text, *values)
        else:
            self._left_out += 1


strangers = LineBudget()
"""The budget of this process."""

log = logging.getLogger(__name__)
WATCHING = (
    ("GET", "/v1/health"),
    ("GET", PROOF_PATH),
    ("GET", "/v1/jobs"),
    ("POST", "/v1/drain"),
)
"""What a window asks again and again to show how the server is: it would fill the log."""
_HTTP = {
    404: ("not_found", "There is nothing at this address: see /v1/openapi.json."),
    405: ("method_not_allowed", "This address does not take this method: see /v1/openapi.json."),
}


_STRANGE = (401, 403)
"""Refused before anything was asked."""


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: turn exceptions into error bodies; the log gets no header, query or body."""
    if request.protocol is not None:
        request.app[STATE].silent.pop(request.protocol, None)
    start = time.perf_counter()
    status = 0
    try:
        response = await _answer(request, handler)
        status = response.status
        return response
    finally:
        milliseconds = 1000 * (time.perf_counter() - start)
        line = "%s %s %s from %s, %.0f ms"
        values = (request.method, shown_path(request), status, request.remote, milliseconds)
        if status in _STRANGE:
            strangers.write(log, line, *values)
        elif status == 200 and (request.method, request.path) in WATCHING:
            log.debug(line, *values)
        else:
            log.info(line, *values)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except LatentFuError as error:
        reply = error_reply(error.code, str(error))
        if reply.status in _STRANGE:  # Whoever has no token keeps no connection either.
            reply.force_close()
        if reply.status == 429:
            reply.headers["Retry-After"] = "1"
        return reply
    except web.HTTPException as error:
        code, message = _HTTP.get(error.status, ("bad_input", "This request cannot be read."))
        reply = error_reply(code, message, error.status)
        if "Allow" in error.headers:  # 405 must say what is taken
            reply.headers["Allow"] = error.headers["Allow"]
        return reply
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("%s %s broke", request.method, shown_path(request))
        return error_reply("internal", "The server made a mistake: its log has the details.", 500)


def shown_path(request: web.Request) -> str:
    """The address as a log may show it: no query, nothing but printable ASCII."""
    return request.rel_url.raw_path[:200].encode("ascii", "backslashreplace").decode()


def error_reply(code: str, message: str, status: int | None = None) -> web.Response:
    """The JSON body that every error has."""
    return web.json_response(
        {"error": {"code": code, "message": message}}, status=status or STATUS.get(code, 500)
    )
