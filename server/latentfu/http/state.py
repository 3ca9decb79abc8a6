"""What the application carries for its handlers and middlewares."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aiohttp import web

from latentfu.jobs.service import JobService


@dataclass
class AppState:
    """``stop``: set to end the server. ``silent``: connections without a whole request yet, in the
    order in which they came.
    """

    service: JobService
    token: str
    remote: bool = False
    started: float = field(default_factory=time.monotonic)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    silent: dict[web.RequestHandler, None] = field(default_factory=dict)


STATE = web.AppKey("state", AppState)
