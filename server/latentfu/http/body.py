"""Reading bodies within their limits of bytes and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from latentfu.core.errors import BadInputError, TooLargeError
from latentfu.http.errors import TooSlowError, UnsupportedError
from latentfu.http.state import FRONT
from latentfu.jobs.limits import Limits

T = TypeVar("T")


async def chunks(request: web.Request, max_bytes: int) -> AsyncIterator[bytes]:
    """The body piece by piece; raises TooLargeError or TooSlowError."""
    if (request.content_length or 0) > max_bytes:
        raise TooLargeError(f"The body is too large: at most {max_bytes} bytes are taken here.")
    limits: Limits = request.app[FRONT].shop.limits
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
    async for chunk in chunks(request, request.app[FRONT].shop.limits.json_bytes):
        body += chunk
    try:
        return adapter.validate_json(bytes(body))
    except ValidationError as error:
        raise BadInputError(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    kinds = ("edit", "mix", "invert")  # Which schema was tried says nothing to a person.
    where = ".".join(str(part)[:100] for part in first["loc"] if part not in kinds)
    sentence = f"The request can not be used: {where + ': ' if where else ''}{first['msg']}."
    return "".join(letter if letter.isprintable() else "?" for letter in sentence)
