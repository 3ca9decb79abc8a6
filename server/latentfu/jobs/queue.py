"""Jobs for the event loop: the table behind a thread, live progress, and who listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from latentfu.jobs.store import (
    DIED_TWICE,
    MAX_ATTEMPTS,
    Fits,
    Job,
    JobState,
    JobStore,
    Lane,
    Limits,
)
from latentfu.protocol.errors import DrainingError, NotFoundError
from latentfu.protocol.replies import Failure
from latentfu.storage.folder_quota import shrink_folder

T = TypeVar("T")


class _Watch:
    """An unfinished job in memory: its newest state, who listens, since when nobody does."""

    def __init__(self, job: Job, patience_s: float) -> None:
        self.job = job
        self.listeners = 0
        self.alone_until = time.monotonic() + patience_s
        self.changed = asyncio.Event()

    def set(self, job: Job) -> None:
        self.job = job
        self.changed.set()
        self.changed = asyncio.Event()


class JobQueue:
    """All jobs, the running ones with their progress."""

    def __init__(self, store: JobStore, results: Path, limits: Limits) -> None:
        self._store = store
        self._results = results
        self._limits = limits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._watches: dict[str, _Watch] = {}
        self.work: dict[Lane, asyncio.Event] = {
            "edit": asyncio.Event(),
            "install": asyncio.Event(),
        }
        self.on_cancel: Callable[[str], None] = lambda job_id: None
        self._draining = self._keeps_waiting = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Take over what an earlier server left."""
        self._loop = asyncio.get_running_loop()
        await self._call(self._store.recover)
        for job in await self._call(self._store.unfinished):
            self._watches[job.id] = _Watch(job, self._limits.first_listener_s)
        for event in self.work.values():
            event.set()

    async def close(self) -> None:
        """Close the table; jobs that wait are done by the next server."""
        await self._call(self._store.close)
        self._thread.shutdown()

    def result_path(self, job_id: str) -> Path:
        """Where the result of a job lies, or will."""
        return self._results / job_id

    def has_home(self) -> bool:
        """Whether the folder of results is there; a home can be unmounted. Blocks."""
        return self._results.is_dir()

    async def put(self, job: Job) -> tuple[Job, bool]:
        """Queue a job; see :meth:`JobStore.put`. Raises DrainingError while the queue drains."""
        if self._draining and await self._call(lambda: self._store.get(job.id)) is None:
            raise DrainingError
        stored, new = await self._call(lambda: self._store.put(job))
        if new:
            self._watches[job.id] = _Watch(stored, self._limits.first_listener_s)
            self.work[job.lane].set()
        return self._live(stored), new

    async def get(self, job_id: str) -> Job:
        """The job with its present progress; raises NotFoundError."""
        watch = self._watches.get(job_id)
        if watch is not None:
            watch.alone_until = max(watch.alone_until, time.monotonic() + self._limits.orphan_s)
            return watch.job
        job = await self._call(lambda: self._store.get(job_id))
        if job is None:
            raise NotFoundError("There is no job of this id: it was never put, or it is too old.")
        return job

    async def newest(self, owner: str = "") -> list[Job]:
        """The newest 100 jobs of ``owner``, newest first."""
        return [self._live(job) for job in await self._call(lambda: self._store.newest(owner))]

    async def count_by_owner(self) -> dict[tuple[str, JobState], int]:
        """How many jobs each owner has in each state."""
        return await self._call(self._store.count_by_owner)

    async def has_reported(self, owner: str, word: str) -> bool:
        """Whether a report of a job of ``owner`` holds ``word``."""
        return await self._call(lambda: self._store.has_reported(owner, word))

    async def cancel_all(self, owner: str) -> int:
        """End what an owner has waiting and running; how many jobs that were."""
        theirs = [job.id for job in self.unfinished() if job.owner == owner]
        for job_id in theirs:
            await self.cancel(job_id)
        return len(theirs)

    @property
    def is_draining(self) -> bool:
        """Whether no new job is taken any more."""
        return self._draining

    def drain(self, keep_waiting: bool) -> None:
        """Take no new job; with ``keep_waiting`` begin none of those that wait either."""
        self._draining, self._keeps_waiting = True, keep_waiting
        for event in self.work.values():
            event.set()

    def count_left(self) -> int:
        """How many jobs will still be finished."""
        states = ("running",) if self._keeps_waiting else ("queued", "running")
        return sum(job.state in states for job in self.unfinished())

    def unfinished(self) -> list[Job]:
        """Jobs that wait or run."""
        return [watch.job for watch in self._watches.values()]

    async def follow(self, job_id: str, idle_s: float) -> AsyncGenerator[Job | None, None]:
        """The job at every change until it has ended; None after ``idle_s`` without one."""
        job = await self.get(job_id)
        watch = self._watches.get(job_id)
        if watch is None:
            yield job
            return
        with self._listening(watch):
            while True:
                changed, job = watch.changed, watch.job
                yield job
                if job.ended:
                    return
                while not changed.is_set():
                    try:
                        await asyncio.wait_for(changed.wait(), idle_s)
                    except TimeoutError:
                        yield None

    async def claim(
        self,
        lane: Lane = "edit",
        near: Collection[str] = (),
        elsewhere: Collection[str] = (),
        fits: Fits | None = None,
    ) -> Job | None:
        """The next job to do, now running; None until ``work`` of the lane is set again.

        See :meth:`JobStore.claim`.
        """
        if fits is None:  # what does not fit one worker still calls the others
            self.work[lane].clear()
        if self._keeps_waiting:
            return None
        job = await self._call(lambda: self._store.claim(lane, near, elsewhere, fits))
        if job is None:
            return None
        self.work[lane].set()
        watch = self._watches.setdefault(job.id, _Watch(job, self._limits.first_listener_s))
        watch.set(job)
        return job

    def progress(
        self,
        job_id: str,
        fraction: float,
        message: str,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        """Show how far a running job is."""
        watch = self._watches.get(job_id)
        if watch is not None and watch.job.state == "running":
            job = replace(watch.job, fraction=fraction, message=message)
            watch.set(replace(job, bytes_done=bytes_done, bytes_total=bytes_total))

    def show_from_thread(self, job_id: str, fraction: float, message: str) -> None:
        """The same, from a thread that works on the job."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.progress, job_id, fraction, message)

    async def finish(
        self,
        job_id: str,
        state: JobState,
        error: Failure | None = None,
        report: Mapping[str, object] | None = None,
    ) -> bool:
        """Write down the end of a job; False when it had ended already."""
        ended = await self._call(lambda: self._store.end(job_id, state, error, report))
        if state == "done":
            await self._call(lambda: self._shrink_results(job_id))
        watch = self._watches.pop(job_id, None)
        if watch is not None:
            fraction = 1.0 if state == "done" else watch.job.fraction
            watch.set(
                replace(watch.job, state=state, error=error, report=report, fraction=fraction)
            )
        return ended

    async def worker_died(self, job: Job) -> None:
        """Try the job once more, or give it up."""
        if job.attempts >= MAX_ATTEMPTS:
            await self.finish(job.id, "failed", DIED_TWICE[job.lane])
        else:
            await self.put_back(job)

    async def put_back(self, job: Job, count_attempt: bool = True) -> None:
        """A running job waits again."""
        await self._call(lambda: self._store.put_back(job.id, count_attempt))
        watch = self._watches.get(job.id)
        if watch is not None:
            watch.set(replace(watch.job, state="queued", fraction=0.0, message=""))
            self.work[job.lane].set()

    async def cancel(self, job_id: str) -> Job:
        """End a job that nobody wants; one that has ended stays as it is."""
        job = await self.get(job_id)
        if not job.ended and await self.finish(job_id, "cancelled"):
            self.on_cancel(job_id)
        return await self.get(job_id)

    async def cancel_orphans(self) -> None:
        """End interactive jobs that nobody has listened to for a while."""
        now = time.monotonic()
        for job_id, watch in list(self._watches.items()):
            if watch.job.interactive and not watch.listeners and now > watch.alone_until:
                await self.cancel(job_id)

    async def give_up(self, reason: Failure) -> None:
        """Fail what waits for a worker: there will be none for it."""
        for job in self.unfinished():
            if job.state == "queued" and job.lane == "edit":
                await self.finish(job.id, "failed", reason)

    async def prune(self, max_age_s: float, max_ended: int) -> None:
        """Forget old jobs and remove their results."""
        for job_id in await self._call(lambda: self._store.prune(max_age_s, max_ended)):
            self.result_path(job_id).unlink(missing_ok=True)

    async def make_room(self) -> None:
        """Let old results go where the disk is nearly full, so that the next can be written."""
        await self._call(lambda: self._shrink_results(""))

    def _shrink_results(self, newest: str) -> None:
        """Old results make room: of the owner of the newest first, so that he pushes out nobody."""
        owner = newest.rpartition(".")[0]
        if owner:
            shrink_folder(self._results, self._limits.user_result_bytes, (newest,), f"{owner}.*")
        shrink_folder(self._results, self._limits.result_quota_bytes, (newest,))

    @contextmanager
    def _listening(self, watch: _Watch) -> Iterator[None]:
        watch.listeners += 1
        try:
            yield
        finally:
            watch.listeners -= 1
            watch.alone_until = time.monotonic() + self._limits.orphan_s

    def _live(self, job: Job) -> Job:
        watch = self._watches.get(job.id)
        return watch.job if watch is not None else job

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
