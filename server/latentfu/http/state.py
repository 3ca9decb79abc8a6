"""What the application carries for its handlers and middlewares."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aiohttp import web

from latentfu.jobs.service import JobService


@dataclass(frozen=True)
class AppState:
    """``stop``: set to end the server. ``silent``: connections without a whole request yet."""

    service: JobService
    token: str
    remote: bool = False
    started: float = field(default_factory=time.monotonic)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    silent: set[asyncio.Protocol] = field(default_factory=set)


STATE = web.AppKey("state", AppState)
