"""No web page may use this server, whatever the browser lets it send."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.errors import ForbiddenError

_SAFE = ("GET", "HEAD", "OPTIONS")


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Origin always, and what a browser marks as coming from another site.

    A person who follows a link here (a top-level GET) is let through, to the token check.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request.headers["Host"]):
        raise ForbiddenError("Requests from web pages are not answered.")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("none", "same-origin"):
        followed = request.headers.get("Sec-Fetch-Mode") == "navigate"
        if request.method not in _SAFE or not followed:
            raise ForbiddenError("Requests from web pages are not answered.")
    return await handler(request)


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.netloc.lower() == host.lower()
