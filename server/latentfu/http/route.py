"""A route as one object: the application and the OpenAPI document are both made from these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Reply = type[Any] | Literal["pixels", "events", "openapi"] | None


@dataclass(frozen=True)
class Route:
    """``request``: a schema, "pixels", or None for no body. ``query``: names of parameters.

    ``statuses``: what it answers beside the errors that every route can have.
    """

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    summary: str
    handler: Handler
    reply: Reply
    request: Any = None
    query: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
