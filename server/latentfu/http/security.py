"""What every request passes before its handler, and the headers on every reply."""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.state import STATE, USER
from latentfu.protocol.errors import ForbiddenError, UnauthorizedError, UnsupportedError
from latentfu.protocol.server_address import PROOF_PATH
from latentfu.storage.users import SERVER_OWNER

ALWAYS = {
    # Nothing that is sent from here is ever shown or run by a browser.
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


HOST_HEADER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a missing, doubled or foreign Host header."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _is_this_machine(hosts[0], request.app[STATE].remote):
        raise ForbiddenError("The Host header does not name this machine: use 127.0.0.1.")
    return await handler(request)


def _is_this_machine(host: str, remote: bool) -> bool:
    """Loopback names and addresses; with ``remote`` any address and the machine's own name.

    Plain addresses are safe there, because rebinding needs a name.
    """
    match = HOST_HEADER.fullmatch(host)
    if match is None:
        return False
    name = match[1].strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return remote and name == socket.gethostname().lower()
    return remote or address.is_loopback


_SAFE = ("GET", "HEAD", "OPTIONS")


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Origin always, and what a browser marks as coming from another site.

    A person who follows a link here (a top-level GET) is let through, to the token check.
    """
    origins = request.headers.getall("Origin", [])  # each counts, where there are several
    if not all(_is_own(origin, request.headers["Host"]) for origin in origins):
        raise ForbiddenError("Requests from web pages are not answered.")
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if not {"none", "same-origin"}.issuperset(sites):
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


@web.middleware
async def check_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request without the token, taking the same time wherever it differs.

    Only the server's own proof is given to everybody.
    """
    if request.method == "GET" and request.path == PROOF_PATH:
        return await handler(request)
    sent = request.headers.getall("Authorization", [])
    expected = f"Bearer {request.app[STATE].token}".encode()
    given = sent[0].encode("utf-8", "surrogateescape") if len(sent) == 1 else b""
    if not hmac.compare_digest(given, expected):
        raise UnauthorizedError(
            "The request carries no valid token: read it from the token file and send "
            "'Authorization: Bearer TOKEN'."
        )
    request[USER] = SERVER_OWNER
    return await handler(request)


_TYPES = ("application/json", "application/octet-stream")


@web.middleware
async def check_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other content types and any compression (a small body may unpack to gigabytes)."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedError("Compressed bodies are not read: send it as it is.")
    if request.can_read_body:
        kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind not in _TYPES:
            raise UnsupportedError("Send application/json or application/octet-stream.")
    return await handler(request)
