"""The application: routes, middlewares, and the job service that opens and closes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from latentfu.http.failures import answer_failures
from latentfu.http.idle import note_use
from latentfu.http.openapi import Endpoint, openapi_document
from latentfu.http.routes import about, jobs, latents, layers, plugins
from latentfu.http.security import (
    add_headers,
    check_content,
    check_host,
    check_origin,
    check_token,
)
from latentfu.http.state import STATE, AppState

MIDDLEWARES = (answer_failures, check_host, check_origin, check_token, note_use, check_content)
"""In the order in which a request passes them."""


async def openapi(request: web.Request) -> web.Response:
    """This interface as OpenAPI."""
    return web.json_response(openapi_document(ROUTES))


ROUTES: tuple[Endpoint, ...] = (
    *about.ROUTES,
    *layers.ROUTES,
    *latents.ROUTES,
    *jobs.ROUTES,
    *plugins.ROUTES,
    Endpoint("GET", "/v1/openapi.json", "This document", openapi, "openapi"),
)


def make_app(state: AppState) -> web.Application:
    """The application for ``state``."""
    app = web.Application(middlewares=MIDDLEWARES)
    app[STATE] = state
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_open_service)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    return app


async def _open_service(app: web.Application) -> AsyncIterator[None]:
    service = app[STATE].service
    await service.open()
    yield
    await service.close()
