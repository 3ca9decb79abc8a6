"""Layers by content."""

from __future__ import annotations

import asyncio

from aiohttp import web

from latentfu.http.body import chunks
from latentfu.http.errors import UnsupportedError
from latentfu.http.responses import reply
from latentfu.http.route import Route
from latentfu.http.state import FRONT
from latentfu.jobs.errors import NotFoundError
from latentfu.protocol.pixels import MAX_BODY_BYTES
from latentfu.protocol.schemas import LayerReply


async def put_layer(request: web.Request) -> web.Response:
    """Straight to disk, judged by its first bytes; a known layer's body is not read."""
    layers = request.app[FRONT].shop.layers
    name = request.match_info["sha256"]
    if layers.has(name):
        return reply(LayerReply(sha256=name), 200)
    if request.content_type != "application/octet-stream":
        raise UnsupportedError("This request takes application/octet-stream.")
    receiving = layers.receive(name)
    upload = await asyncio.to_thread(receiving.__enter__)
    try:
        async for chunk in chunks(request, MAX_BODY_BYTES + (1 << 26)):
            await asyncio.to_thread(upload.write, chunk)
    except BaseException as error:
        await asyncio.to_thread(receiving.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(receiving.__exit__, None, None, None)
    return reply(LayerReply(sha256=name), 201)


async def has_layer(request: web.Request) -> web.Response:
    """A client asks before it sends."""
    if not request.app[FRONT].shop.layers.has(request.match_info["sha256"]):
        raise NotFoundError("This layer is not here: send it with PUT.")
    return web.Response()


ROUTES = (
    Route(
        "PUT",
        "/v1/layers/{sha256}",
        "Store a layer under the sha256 of the body's bytes",
        put_layer,
        LayerReply,
        request="pixels",
        statuses=(200, 201),
        errors=(400, 408, 413, 415, 507),
    ),
    Route(
        "GET",
        "/v1/layers/{sha256}",
        "Whether a layer is there",
        has_layer,
        None,
        errors=(400, 404),
    ),
)
