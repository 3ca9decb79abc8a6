"""Previews: the newest of a session wins."""

from __future__ import annotations

from aiohttp import web
from pydantic import TypeAdapter

from latentfu.http.body import read_json
from latentfu.http.responses import pixel_reply
from latentfu.http.route import Route
from latentfu.http.routes.jobs import check_layers, uuid_in
from latentfu.http.state import FRONT
from latentfu.protocol.schemas import PreviewRequest

_REQUEST = TypeAdapter(PreviewRequest)


async def put_preview(request: web.Request) -> web.Response:
    """Waits for the picture, and drops the work when the client has gone."""
    session = uuid_in(request, "session")
    body = (await read_json(request, _REQUEST)).model_dump(mode="json")
    check_layers(request, body)

    def is_wanted() -> bool:
        return request.transport is not None and not request.transport.is_closing()

    pixels = await request.app[FRONT].shop.previews.make(session, body, is_wanted)
    return await pixel_reply(request, pixels)


ROUTES = (
    Route(
        "PUT",
        "/v1/previews/{session}",
        "A small picture of an edit",
        put_preview,
        "pixels",
        request=PreviewRequest,
        errors=(400, 404, 408, 409, 413, 415, 429, 503, 507),
    ),
)
