"""A server that ends when its work is done, and takes none meanwhile, so that another follows it.

A shutdown breaks off what runs, and the next server begins it anew. A drain lets it finish: for an
update of the program, or of the machine.
"""

from __future__ import annotations

import asyncio
import logging
import time

from latentfu.http.state import AppState

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_QUIET_S = 3.0
"""So long nobody may have asked for anything: who waited for a job fetches its result."""
_MOST_LINGER_S = 60.0


def start_drain(state: AppState, keep_waiting: bool) -> None:
    """Take no new work from now on, and end the server when what there is has been done.

    Args:
        state: of the server.
        keep_waiting: whether jobs that wait are left to the next server; those that run are
            finished in any case.
    """
    state.service.queue.drain(keep_waiting)
    if state.drain is None:
        state.drain = asyncio.create_task(_stop_when_done(state))
        _log.info("draining: no new work is taken, %s jobs are left", count_left(state))


def count_left(state: AppState) -> int:
    """How many jobs are still finished here."""
    return state.service.queue.count_left()


async def _stop_when_done(state: AppState) -> None:
    while count_left(state):
        await asyncio.sleep(_LOOK_EVERY_S)
    end = time.monotonic() + _MOST_LINGER_S
    while time.monotonic() < min(end, state.used + _QUIET_S):
        await asyncio.sleep(_LOOK_EVERY_S)
    _log.info("drained")
    state.stop.set()
