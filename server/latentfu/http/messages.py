"""Bodies in, within their limits of bytes and time; replies out, as JSON or pixels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from latentfu.core.errors import TooLargeError
from latentfu.http.state import STATE
from latentfu.jobs.store import Limits
from latentfu.protocol.errors import TooSlowError, UnsupportedError
from latentfu.protocol.pixels import PixelHeader, unpack_pixels
from latentfu.protocol.png import write_png
from latentfu.protocol.requests import parse_request

T = TypeVar("T")


async def chunks(request: web.Request, max_bytes: int) -> AsyncIterator[bytes]:
    """The body piece by piece; raises TooLargeError or TooSlowError."""
    if (request.content_length or 0) > max_bytes:
        raise TooLargeError(f"The body is too large: at most {max_bytes} bytes are taken here.")
    limits: Limits = request.app[STATE].service.limits
    loop = asyncio.get_running_loop()
    start = loop.time()
    received = 0
    while True:
        deadline = start + limits.body_grace_s + received / limits.body_rate
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await request.content.readany()
        except TimeoutError as error:
            raise TooSlowError("The body came too slowly: send it again.") from error
        if not chunk:
            return
        received += len(chunk)
        if received > max_bytes:
            raise TooLargeError(f"The body is too large: at most {max_bytes} bytes are taken here.")
        if loop.time() > deadline:
            raise TooSlowError("The body came too slowly: send it again.")
        yield chunk


async def read_json(request: web.Request, adapter: TypeAdapter[T]) -> T:
    """The JSON body, checked against its schema; raises BadInputError in one sentence."""
    if request.content_type != "application/json":
        raise UnsupportedError("This request takes application/json.")
    body = bytearray()
    async for chunk in chunks(request, request.app[STATE].service.limits.json_bytes):
        body += chunk
    return parse_request(adapter, bytes(body))


def reply(model: BaseModel, status: int = 200) -> web.Response:
    """``model`` as JSON."""
    return web.Response(
        text=model.model_dump_json(), status=status, content_type="application/json"
    )


def wants_png(request: web.Request) -> bool:
    """Whether the client asked for a PNG file instead of a pixel body."""
    return "image/png" in request.headers.get("Accept", "").lower()


async def pixel_reply(request: web.Request, body: bytes) -> web.Response:
    """A pixel body, or the same picture as PNG."""
    if wants_png(request):
        png = await asyncio.to_thread(lambda: write_png(*_parts(body)))
        return web.Response(body=png, content_type="image/png")
    return web.Response(body=body, content_type="application/octet-stream")


def _parts(body: bytes) -> tuple[PixelHeader, bytes]:
    header, pixels = unpack_pixels(body)
    return header, bytes(pixels)
