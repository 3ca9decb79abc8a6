"""What the application carries for its handlers and middlewares."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from latentfu.jobs.service import JobService
from latentfu.jobs.store import job_key
from latentfu.storage.users import SERVER_OWNER, User, UserList


@dataclass
class AppState:
    """``stop``: set to end the server. ``silent``: connections without a whole request yet, in the
    order in which they came. ``used``: when the server was last used, of ``time.monotonic()``.
    ``idle_s``: after how long without use it ends; 0: never. ``users``: who else than its owner may
    come; ``counted``: requests of each of them, by the status of the answer. ``drain``: what ends
    the server when its work is done, once that is wanted.
    """

    service: JobService
    token: str
    remote: bool = False
    started: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    idle_s: float = 0.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    silent: dict[web.RequestHandler, None] = field(default_factory=dict)
    users: UserList = field(default_factory=UserList)
    counted: Counter[tuple[str, int]] = field(default_factory=Counter)
    drain: asyncio.Task[None] | None = None


STATE = web.AppKey("state", AppState)
USER = web.RequestKey("user", User)
"""Who asks; set by the middleware that checks the token."""
NOTE = web.RequestKey("note", str)
"""What the audit log says beside the address: the kind of a job."""


def own_key(request: web.Request, public_id: str) -> str:
    """Under which a job or session of whoever asks is kept; another's is never reached."""
    return job_key(request[USER].id, public_id)


def is_still_welcome(request: web.Request) -> bool:
    """Whether the token of whoever asked has not been revoked since."""
    user = request[USER]
    return user is SERVER_OWNER or request.app[STATE].users.is_known(user)
