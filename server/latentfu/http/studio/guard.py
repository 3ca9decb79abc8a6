"""What a request of another machine passes before its handler: name, user, role, rate."""

from __future__ import annotations

import contextlib
import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.openapi import Endpoint
from latentfu.http.security import HOST_HEADER
from latentfu.http.state import STATE, USER
from latentfu.http.studio.state import STUDIO, StudioState
from latentfu.protocol.errors import ForbiddenError, TooManyRequestsError, UnauthorizedError

_FORWARDED = "X-Forwarded-For"
ROLES = web.AppKey("roles", dict)
"""The role that each route wants, by method and path."""


def list_roles(routes: tuple[Endpoint, ...]) -> dict[tuple[str, str], str]:
    """The role that each route wants."""
    return {(route.method, route.path): route.role for route in routes}


@web.middleware
async def see_through_proxy(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The address of a client behind one of our proxies: what the proxy itself has seen."""
    if request.remote in request.app[STUDIO].proxies:
        given = request.headers.get(_FORWARDED, "").rpartition(",")[2].strip()
        with contextlib.suppress(ValueError):  # it named nobody: the proxy's own address stands
            request = request.clone(remote=str(ipaddress.ip_address(given)))
    return await handler(request)


@web.middleware
async def check_called_name(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a missing, doubled or foreign Host header, and whatever a web page sends."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _is_ours(hosts[0], request.app[STUDIO]):
        raise ForbiddenError(
            "The server is not called by this name: start it with --name and the host name that "
            "clients use."
        )
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
        raise ForbiddenError("Requests from web pages are not answered.")
    return await handler(request)


def _is_ours(host: str, studio: StudioState) -> bool:
    """One of our names, or any address: to rebind one, an attacker needs a name."""
    match = HOST_HEADER.fullmatch(host)
    if match is None:
        return False
    name = match[1].strip("[]").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.rstrip(".") in studio.names or _fits_wildcard(name, studio)
    return True


def _fits_wildcard(name: str, studio: StudioState) -> bool:
    """Whether a certificate for ``*.studio.lan`` covers the name."""
    return f"*.{name.partition('.')[2]}" in studio.names


@web.middleware
async def check_user(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse whoever brings no user's token; wrong ones are counted by address."""
    studio = request.app[STUDIO]
    sent = request.headers.getall("Authorization", [])
    scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    user = request.app[STATE].users.find(token) if scheme == "Bearer" else None
    if user is None:
        if not studio.failures.allows(request.remote or ""):
            raise TooManyRequestsError("Too many wrong tokens came from here: wait a minute.")
        raise UnauthorizedError(
            "The request carries no token of a user of this server: ask its administrator for one."
        )
    request[USER] = user
    return await handler(request)


@web.middleware
async def check_rate_and_role(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a user who asks too often, and what only administrators may do."""
    user = request[USER]
    if not request.app[STUDIO].requests.allows(user.id):
        raise TooManyRequestsError("You ask more often than this server allows: wait a second.")
    resource = request.match_info.route.resource
    if resource is not None and user.role != "administer":
        wanted = request.app[ROLES].get((request.method, resource.canonical), "administer")
        if wanted != "edit":
            raise ForbiddenError("Only an administrator of this server may do this.")
    return await handler(request)
