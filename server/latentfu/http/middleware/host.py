"""Only requests that name this machine: a foreign name means DNS rebinding."""

from __future__ import annotations

import ipaddress
import re
import socket

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.errors import ForbiddenError
from latentfu.http.state import FRONT

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a missing, doubled or foreign Host header."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not is_this_machine(hosts[0], request.app[FRONT].remote):
        raise ForbiddenError("The Host header does not name this machine: use 127.0.0.1.")
    return await handler(request)


def is_this_machine(host: str, remote: bool) -> bool:
    """Loopback names and addresses; with ``remote`` any address and the machine's own name.

    Plain addresses are safe there, because rebinding needs a name.
    """
    match = _HOST.fullmatch(host)
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
