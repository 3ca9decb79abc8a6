"""Latents by content, so that a client can keep what was found and bring it again."""

from __future__ import annotations

from aiohttp import web

from latentfu.http.messages import chunks, reply
from latentfu.http.openapi import Endpoint
from latentfu.http.routes.layers import in_thread
from latentfu.http.state import STATE
from latentfu.protocol.errors import NotFoundError, UnsupportedError
from latentfu.protocol.replies import LayerReply
from latentfu.storage.latent_store import MAX_LATENT_BYTES


async def put_latent(request: web.Request) -> web.Response:
    """What is in it is checked when it is used."""
    latents = request.app[STATE].service.latents
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
    path = request.app[STATE].service.latents.find(request.match_info["sha256"])
    if path is None:
        raise NotFoundError("This latent is not here: bring it with PUT, or invert again.")
    response = web.FileResponse(path)
    response.content_type = "application/octet-stream"
    return response


ROUTES = (
    Endpoint(
        "PUT",
        "/v1/latents/{sha256}",
        "Bring a latent under the sha256 of its bytes",
        put_latent,
        LayerReply,
        request="latent",
        statuses=(200, 201),
        errors=(400, 408, 413, 415, 507),
    ),
    Endpoint(
        "GET",
        "/v1/latents/{sha256}",
        "A latent that was brought, or that a report's inversion_key names",
        get_latent,
        "latent",
        errors=(400, 404),
    ),
)
