"""Layers and latents by content, so that a client can bring again what it found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from latentfu.http.messages import chunks, reply
from latentfu.http.openapi import Endpoint
from latentfu.http.state import STATE, USER
from latentfu.protocol.errors import NotFoundError, UnsupportedError
from latentfu.protocol.pixels import MAX_BODY_BYTES
from latentfu.protocol.replies import LayerReply
from latentfu.storage.layer_store import MAX_LATENT_BYTES

T = TypeVar("T")


async def put_layer(request: web.Request) -> web.Response:
    """Straight to disk, judged by its first bytes; a known layer's body is not read."""
    layers = request.app[STATE].service.layers_of(request[USER].id)
    name = request.match_info["sha256"]
    if layers.has(name):
        return reply(LayerReply(sha256=name), 200)
    if request.content_type != "application/octet-stream":
        raise UnsupportedError("This request takes application/octet-stream.")
    async with in_thread(layers.receive(name)) as upload:
        async for chunk in chunks(request, MAX_BODY_BYTES + (1 << 26)):
            await asyncio.to_thread(upload.write, chunk)
    return reply(LayerReply(sha256=name), 201)


@asynccontextmanager
async def in_thread(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A context manager that blocks, entered and left in a thread."""
    async with AsyncExitStack() as stack:
        blocking = ExitStack()
        stack.push_async_exit(lambda *error: asyncio.to_thread(blocking.__exit__, *error))
        yield await asyncio.to_thread(blocking.enter_context, manager)


async def has_layer(request: web.Request) -> web.Response:
    """A client asks before it sends."""
    layers = request.app[STATE].service.layers_of(request[USER].id)
    if not layers.has(request.match_info["sha256"]):
        raise NotFoundError("This layer is not here: send it with PUT.")
    return web.Response()


async def put_latent(request: web.Request) -> web.Response:
    """What is in it is checked when it is used."""
    latents = request.app[STATE].service.latents_of(request[USER].id)
    name = request.match_info["sha256"]
    if latents.has(name):
        return reply(LayerReply(sha256=name), 200)
    if request.content_type != "application/octet-stream":
        raise UnsupportedError("This request takes application/octet-stream.")
    async with in_thread(latents.receive(name)) as upload:
        async for chunk in chunks(request, MAX_LATENT_BYTES):
            upload.write(chunk)
    return reply(LayerReply(sha256=name), 201)


async def get_latent(request: web.Request) -> web.StreamResponse:
    """The bytes of a file with its tensors."""
    path = await _find_latent(request, request.match_info["sha256"])
    if path is None:
        raise NotFoundError("This latent is not here: bring it with PUT, or invert again.")
    response = web.FileResponse(path)
    response.content_type = "application/octet-stream"
    return response


async def _find_latent(request: web.Request, name: str) -> Path | None:
    """Of a studio's user: what he has brought, or a report of his own work names."""
    service, owner = request.app[STATE].service, request[USER].id
    path = service.latents_of(owner).find(name)
    if path is None and owner and await service.queue.has_reported(owner, name):
        return service.latents.find(name)
    return path


ROUTES = (
    Endpoint(
        "PUT",
        "/v1/layers/{sha256}",
        "Store a layer under the sha256 of the body's bytes",
        put_layer,
        LayerReply,
        request="pixels",
        statuses=(200, 201),
        errors=(400, 408, 413, 415, 507),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/layers/{sha256}",
        "Whether a layer is there",
        has_layer,
        None,
        errors=(400, 404),
        role="edit",
    ),
    Endpoint(
        "PUT",
        "/v1/latents/{sha256}",
        "Bring a latent under the sha256 of its bytes",
        put_latent,
        LayerReply,
        request="latent",
        statuses=(200, 201),
        errors=(400, 408, 413, 415, 507),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/latents/{sha256}",
        "A latent that was brought, or that a report's inversion_key names",
        get_latent,
        "latent",
        errors=(400, 404),
        role="edit",
    ),
)
