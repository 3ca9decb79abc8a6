"""What the door for others knows: its names, its limits, its audit log."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from aiohttp import web

from latentfu.http.studio.rates import RateLimiter


@dataclass
class StudioState:
    """``names``: host names by which it may be called. ``proxies``: whose word on addresses counts.

    ``requests``: of each user; ``failures``: wrong tokens of each address. ``sessions``: of
    previews that the audit log has named. ``open``: connections of each address.
    """

    names: Collection[str]
    proxies: Collection[str]
    requests: RateLimiter
    failures: RateLimiter
    audit: logging.Logger
    sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)
    open: dict[str, int] = field(default_factory=dict)
    refused_connections: int = 0


STUDIO = web.AppKey("studio", StudioState)
