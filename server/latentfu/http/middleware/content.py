"""Bodies are JSON or plain bytes: what a web form can send is not read."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.errors import UnsupportedError

_TYPES = ("application/json", "application/octet-stream")


@web.middleware
async def check_content(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other content types and any compression (a small body may unpack to gigabytes)."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedError("Compressed bodies are not read: send it as it is.")
    if request.can_read_body:
        kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind not in _TYPES:
            raise UnsupportedError("Send application/json or application/octet-stream.")
    return await handler(request)
