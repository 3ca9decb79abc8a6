"""Previews: per session only the newest counts."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from latentfu.protocol.errors import (
    OvertakenError,
    QueueFullError,
    WorkError,
    WorkerUnavailableError,
)

# Two previews that agree in these share their inversion, the expensive part.
_INVERSION_KEYS = (
    "layer", "generator", "inverter", "aligner", "quality", "face", "corners", "eyes", "mouth",
    "options", "latent",
)  # fmt: skip
_MOST_HOMES = 1000
"""Sessions whose worker is remembered, the newest; more than previews may wait."""


class PreviewWorker(Protocol):
    """Who makes previews. ``is_here``: on this machine."""

    is_here: bool

    def knows(self, layer: str) -> bool:
        """Whether it alone has inverted a layer."""
        ...

    async def preview(
        self, preview_id: str, session: str, body: Mapping[str, object], out: Path
    ) -> None:
        """Write a preview to ``out``; raises LatentFuError."""
        ...

    def cancel(self, work_id: str) -> None:
        """Drop a preview."""
        ...


@dataclass
class _Waiting:
    id: str
    body: Mapping[str, object]
    task: asyncio.Task[None]


class Previews:
    """Hands previews to a worker; a newer one of the same session overtakes the older."""

    def __init__(
        self,
        folder: Path,
        workers: Sequence[PreviewWorker],
        max_waiting: int,
        user_waiting: int,
        limit_s: float,
    ) -> None:
        self._user_waiting = user_waiting
        self._folder = folder
        self._workers = workers
        self._max_waiting = max_waiting
        self._limit_s = limit_s
        self._waiting: dict[str, _Waiting] = {}
        self._homes: dict[str, int] = {}

    async def make(
        self, session: str, body: Mapping[str, object], wanted: Callable[[], bool]
    ) -> bytes:
        """The preview as a pixel body.

        ``session``: the client's own, made one with its user by ``job_key``.
        ``wanted`` is asked now and then; once false the work is dropped. Raises OvertakenError,
        QueueFullError, WorkError or WorkerUnavailableError.
        """
        older = self._waiting.get(session)
        if older is None and len(self._waiting) >= self._max_waiting:
            raise QueueFullError("Too many previews are waiting: try again in a moment.")
        owner = session.rpartition(".")[0]
        if older is None and owner and self._count(owner) >= self._user_waiting:
            raise QueueFullError("Too many of your previews are waiting: try again in a moment.")
        worker = self._find_home(session, str(body.get("layer", "")))
        preview_id = str(uuid.uuid4())
        out = self._folder / preview_id
        task = asyncio.create_task(worker.preview(preview_id, session, body, out))
        mine = self._waiting[session] = _Waiting(preview_id, body, task)
        if older is not None:
            self._overtake(worker, older, body)
        try:
            await self._wait(mine, wanted, worker)
            return await asyncio.to_thread(out.read_bytes)
        finally:
            out.unlink(missing_ok=True)
            if self._waiting.get(session) is mine:
                del self._waiting[session]

    def _find_home(self, session: str, layer: str) -> PreviewWorker:
        """The worker of a session: it stays with the one whose memory holds its layer.

        A new one comes to the machine that has inverted its layer; of several workers of this one
        to that which has fewest previews waiting, and of these to the one with fewest sessions.
        """
        home = self._homes.pop(session, None)
        if home is not None and not (
            self._workers[home].is_here or self._workers[home].knows(layer)
        ):
            home = None  # that machine is gone, or the session has another layer now
        if home is None:
            waiting = Counter(self._homes[other] for other in self._waiting if other in self._homes)
            held = Counter(self._homes.values())
            places = range(len(self._workers))
            fitting = [n for n in places if self._workers[n].knows(layer)]
            fitting = fitting or [n for n in places if self._workers[n].is_here]
            home = min(fitting, key=lambda n: (waiting[n], held[n]))
        self._homes[session] = home  # the newest last
        if len(self._homes) > _MOST_HOMES:
            idle = next(each for each in self._homes if each not in self._waiting)
            del self._homes[idle]
        return self._workers[home]

    def _count(self, owner: str) -> int:
        return sum(each.startswith(f"{owner}.") for each in self._waiting)

    def _overtake(
        self, worker: PreviewWorker, older: _Waiting, newer: Mapping[str, object]
    ) -> None:
        older.task.cancel()
        if any(older.body.get(key) != newer.get(key) for key in _INVERSION_KEYS):
            worker.cancel(older.id)

    async def _wait(
        self, mine: _Waiting, wanted: Callable[[], bool], worker: PreviewWorker
    ) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                while not mine.task.done():
                    await asyncio.wait([mine.task], timeout=0.5)
                    if not wanted():
                        raise WorkError("cancelled", "Nobody waits for this preview any more.")
        except TimeoutError as error:
            raise WorkerUnavailableError("The preview took too long: try again.") from error
        finally:
            if not mine.task.done():
                mine.task.cancel()
                worker.cancel(mine.id)
        if mine.task.cancelled():
            raise OvertakenError
        mine.task.result()
