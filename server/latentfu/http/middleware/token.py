"""The token, on every route without exception."""

from __future__ import annotations

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.errors import UnauthorizedError
from latentfu.http.state import FRONT


@web.middleware
async def check_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request without the token, taking the same time wherever it differs."""
    sent = request.headers.getall("Authorization", [])
    expected = f"Bearer {request.app[FRONT].token}".encode()
    given = sent[0].encode("utf-8", "surrogateescape") if len(sent) == 1 else b""
    if not hmac.compare_digest(given, expected):
        raise UnauthorizedError(
            "The request carries no valid token: read it from the token file and send "
            "'Authorization: Bearer TOKEN'."
        )
    return await handler(request)
