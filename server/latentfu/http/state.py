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
    order in which they came. ``used``: when the server was last used, of ``time.monotonic()``.
    ``idle_s``: after how long without use it ends; 0: never.
    """

    service: JobService
    token: str
    remote: bool = False
    started: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    idle_s: float = 0.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    silent: dict[web.RequestHandler, None] = field(default_factory=dict)


STATE = web.AppKey("state", AppState)
