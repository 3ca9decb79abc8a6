"""The application: routes, middlewares, and the shop that opens and closes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from latentfu.http.headers import add_headers
from latentfu.http.middleware import IN_ORDER
from latentfu.http.openapi import openapi_document
from latentfu.http.route import Route
from latentfu.http.routes import about, jobs, layers, previews
from latentfu.http.state import FRONT, Front


async def openapi(request: web.Request) -> web.Response:
    """This interface as OpenAPI."""
    return web.json_response(openapi_document(ROUTES))


ROUTES: tuple[Route, ...] = (
    *about.ROUTES,
    *layers.ROUTES,
    *jobs.ROUTES,
    *previews.ROUTES,
    Route("GET", "/v1/openapi.json", "This document", openapi, "openapi"),
)


def make_app(front: Front) -> web.Application:
    """The application for ``front``."""
    app = web.Application(middlewares=IN_ORDER)
    app[FRONT] = front
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_shop_open)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    return app


async def _shop_open(app: web.Application) -> AsyncIterator[None]:
    shop = app[FRONT].shop
    await shop.open()
    yield
    await shop.close()
