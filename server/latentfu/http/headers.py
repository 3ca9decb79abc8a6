"""Headers on every reply: nothing that is sent from here is ever shown or run by a browser."""

from __future__ import annotations

from aiohttp import web

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Content-Disposition": "attachment",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "latentfu",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A response-prepare signal, so that streams and errors have them too."""
    response.headers.update(ALWAYS)
