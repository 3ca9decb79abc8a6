"""One device, its worker process, and the jobs that go through it one after another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from latentfu.core.errors import LatentFuError, StorageError
from latentfu.jobs.frames import Message
from latentfu.jobs.process import WorkerDied, WorkerProcess
from latentfu.jobs.queue import JobQueue
from latentfu.jobs.store import MAX_ATTEMPTS, Job, JobState, Limits, name_network
from latentfu.plugin_manager.deaths import read_at_work
from latentfu.plugin_manager.network_access import is_network_allowed
from latentfu.plugin_manager.sources import fingerprint, quick_stamp
from latentfu.protocol.errors import WorkError, WorkerUnavailableError
from latentfu.protocol.replies import Failure

log = logging.getLogger(__name__)
T = TypeVar("T")
WorkerState = Literal["starting", "ready", "busy", "restarting"]


class Peer(Protocol):
    """What a worker has to know of another one. ``networks``: those it has loaded."""

    networks: list[str]

    @property
    def state(self) -> WorkerState:
        """What it is doing."""
        ...


_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
_HOPELESS = 3
_LEFT_S = 0.3
"""For how long a job is left to the worker that has its network loaded."""
_LOADED = 2
"""How many of the networks that it used last a worker is taken to have still."""
_REASON = "ended unexpectedly (the log says more)"


class DeviceWorker:
    """Keeps a worker alive and feeds it. ``hear_catalog`` gets the catalogue messages."""

    is_here = True

    def __init__(
        self,
        arguments: Sequence[str],
        queue: JobQueue,
        limits: Limits,
        hear_catalog: Callable[[Message], None],
    ) -> None:
        self._arguments = arguments
        self._queue = queue
        self._limits = limits
        self._hear_catalog = hear_catalog
        self._worker: WorkerProcess | None = None
        self._ready = asyncio.Event()
        self._job: Job | None = None
        self._stopping = False
        self._asked = 0
        self._failed_starts = 0
        self._reason = _REASON
        self._seen: tuple[tuple[int, ...], str] = ((), "")
        self._renewing = False
        self.networks: list[str] = []
        self.peers: Sequence[Peer] = ()
        """The other workers of the server."""
        self.device = ""
        self.message = "The worker is starting."

    @property
    def state(self) -> WorkerState:
        """What the worker is doing."""
        if not self._ready.is_set():
            return "restarting" if self._failed_starts else "starting"
        return "busy" if self._job is not None or self._asked else "ready"

    @property
    def memory_mb(self) -> int:
        """Main memory of the worker's process; 0 where it is not known."""
        return self._worker.memory_mb if self._worker else 0

    @property
    def is_hopeless(self) -> bool:
        """Whether the worker died several times before it was ready."""
        return self._failed_starts >= _HOPELESS and not self._ready.is_set()

    def knows(self, layer: str) -> bool:
        """Never: what one worker of this machine has inverted lies on the disk of all."""
        return False

    async def run(self) -> None:
        """Start the worker, feed it until it dies, start the next."""
        while not self._stopping:
            stamp, self.networks = quick_stamp(), []
            worker = self._worker = await WorkerProcess.start(self._arguments, self._hear)
            self._seen = stamp, await asyncio.to_thread(_fingerprint)
            feeding = asyncio.create_task(self._feed(worker))
            watching = asyncio.create_task(self._watch_plugins(worker))
            await worker.ended.wait()
            self._ready.clear()
            await feeding
            watching.cancel()
            if self._stopping:
                return
            if self._renewing:
                self._renewing = False
                continue
            self._failed_starts += 1
            self._explain_end(worker)
            pause = min(_FIRST_PAUSE_S * 2 ** (self._failed_starts - 1), _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    def _explain_end(self, worker: WorkerProcess) -> None:
        """What people and the log are told about a worker that ended."""
        guilty = read_at_work(worker.pid)
        reason = self._reason
        if guilty is not None and reason == _REASON:
            reason = (
                f"{worker.how_it_ended} while the plug-in {guilty.name} was imported or asked "
                f"(latentfu plugins disable {guilty.name} leaves it out)"
            )
        log.error("the worker process %s %s: %s", worker.pid, worker.how_it_ended, reason)
        self.message = f"The worker process {reason}; it is started again."
        self._reason = _REASON

    async def _watch_plugins(self, worker: WorkerProcess) -> None:
        """End a worker that stays at one plug-in while it starts: it would never be ready."""
        seen, since = None, time.monotonic()
        while not self._ready.is_set():
            await asyncio.sleep(min(0.5, self._limits.import_s / 4))
            work = read_at_work(worker.pid)
            if work != seen:  # measured here: the clock may be set meanwhile
                seen, since = work, time.monotonic()
            if work is not None and time.monotonic() - since > self._limits.import_s:
                self._reason = (
                    f"was stopped, as the plug-in {work.name} has not come back after "
                    f"{self._limits.import_s:g} s (latentfu plugins disable {work.name} leaves it "
                    f"out)"
                )
                worker.kill()
                return

    async def _renew_if_outdated(self) -> None:
        """Start the worker again where plug-ins were installed or switched since it started.

        What a process has imported stays as it was. Nothing is interrupted for it.
        """
        if self._job is not None or self._asked or not self._ready.is_set():
            return
        stamp, worker = quick_stamp(), self._worker
        if stamp == self._seen[0]:
            return
        now = await asyncio.to_thread(_fingerprint)
        if now == self._seen[1] or worker is None or self._job is not None or self._asked:
            self._seen = (stamp, now) if now == self._seen[1] else self._seen
            return
        log.info("plug-ins have changed, or their rights: worker %s is started again", worker.pid)
        self._renewing = True
        self._ready.clear()
        await worker.stop()

    async def stop(self) -> None:
        """End the worker; a job it has goes back into the queue without blame."""
        self._stopping = True
        job, self._job = self._job, None
        if job is not None:
            await self._queue.put_back(job, count_attempt=False)
        if self._worker is not None:
            await self._worker.stop()

    def cancel(self, work_id: str) -> None:
        """Tell the worker to drop this work; if it does not, it is killed after a while."""
        if self._worker is not None:
            self._worker.tell({"do": "cancel", "id": work_id})
        if self._job is not None and self._job.id == work_id and self._worker is not None:
            asyncio.get_running_loop().call_later(
                self._limits.cancel_s, self._kill_if_at, self._worker, work_id
            )

    async def preview(
        self, preview_id: str, session: str, body: Mapping[str, object], out: Path
    ) -> None:
        """Have a preview written to ``out``; raises WorkError or WorkerUnavailableError.

        It is asked for once more when the worker dies: that may have been another work's fault.
        """
        await self._renew_if_outdated()
        message = {"do": "preview", "id": preview_id, "session": session, "body": body}
        self._asked += 1
        try:
            for last in (False, True):
                worker = await self.worker()
                try:
                    await worker.ask({**message, "out": str(out)})
                    return
                except WorkerDied as error:
                    if last:
                        raise WorkerUnavailableError(
                            "The worker process died over this preview: try again in some seconds."
                        ) from error
        finally:
            self._asked -= 1

    async def answer_route(self, route: str, query: Mapping[str, str], body: object) -> object:
        """What a plug-in's route says; raises WorkError or WorkerUnavailableError."""
        return await self._ask({"do": "route", "route": route, "query": dict(query), "body": body})

    async def list_inverters(self, generator: str) -> object:
        """The inverters for a network, those that fit first; raises as :meth:`answer_route`."""
        return await self._ask({"do": "inverters", "generator": generator})

    async def _ask(self, question: Message) -> object:
        """What the worker replies to a question that plug-ins answer."""
        await self._renew_if_outdated()
        worker = await self.worker()
        message = {**question, "id": str(uuid.uuid4())}
        self._asked += 1
        try:
            async with asyncio.timeout(self._limits.preview_s):
                report = await worker.ask(message)
        except TimeoutError as error:
            self.cancel(str(message["id"]))
            raise WorkerUnavailableError("The plug-in took too long to answer.") from error
        except WorkerDied as error:
            raise WorkerUnavailableError(
                "The worker process died over this request: try again in some seconds."
            ) from error
        finally:
            self._asked -= 1
        return report["reply"]

    async def worker(self) -> WorkerProcess:
        """The worker once it is ready; raises WorkerUnavailableError when it will not be."""
        while not self._ready.is_set():
            if self.is_hopeless:
                raise WorkerUnavailableError(self.message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), 0.5)
        assert self._worker is not None
        return self._worker

    async def ask_catalog(self) -> None:
        """Have the worker send its catalogue again."""
        await self._renew_if_outdated()
        if self._worker is not None:
            self._worker.tell({"do": "catalog"})

    def _hear(self, message: Message) -> None:
        match message.get("event"):
            case "ready":
                self.device = str(message["device"])
                self.message = ""
                self._failed_starts = 0
                self._ready.set()
            case "start_failed":
                self._reason = f"cannot start ({message['message']})"
            case "progress":
                fraction: Any = message["fraction"]
                self._queue.progress(str(message["id"]), fraction, str(message["message"]))
            case "catalog" | "catalog_failed":
                self._hear_catalog(message)

    async def _feed(self, worker: WorkerProcess) -> None:
        if not await _first(self._ready.wait(), worker.ended.wait()):
            return
        while not self._stopping and not worker.ended.is_set():
            await self._renew_if_outdated()
            if worker.ended.is_set():
                return
            await self._wait_for_home()
            job = await insist_on(self._claim)
            if job is None:
                await _first(self._queue.work["edit"].wait(), worker.ended.wait())
                continue
            self._job = job
            try:
                await self._do(worker, job)
            except WorkerDied:
                if not self._stopping:
                    await insist_on(partial(self._queue.worker_died, job))
            finally:
                self._job = None

    async def _claim(self) -> Job | None:
        """The next job: of several workers the one takes it who has its network loaded.

        Where nobody does, or he who does is not quick about it, whoever is free.
        """
        if not self.peers:
            return await self._queue.claim()
        free = (peer for peer in self.peers if peer.state == "ready")
        elsewhere = {name for peer in free for name in peer.networks} - set(self.networks)
        job = await self._queue.claim("edit", self.networks, elsewhere)
        if job is None and elsewhere:
            await asyncio.sleep(_LEFT_S)
            job = await self._queue.claim("edit", self.networks)
        if job is not None:
            used = name_network(job.body)
            self.networks = [used, *(name for name in self.networks if name != used)][:_LOADED]
        return job

    async def _wait_for_home(self) -> None:
        """While the disk of the results is away, work waits: it would fail job by job."""
        told = False
        while not self._stopping and not await asyncio.to_thread(self._queue.has_home):
            if not told:
                log.error("the folder of results is not there: work waits until its disk is back")
            told = True
            await asyncio.sleep(0.5)

    async def _do(self, worker: WorkerProcess, job: Job) -> None:
        body = {**job.body, "kind": job.kind}
        out = self._queue.result_path(job.id)
        message = {"do": "job", "id": job.id, "body": body, "out": str(out)}
        try:
            async with asyncio.timeout(self._limits.job_s):
                report = await worker.ask(message)
        except WorkError as error:
            if error.code == "cancelled" and self._stopping:
                return  # Nobody cancelled it: it is put back when the server starts again.
            if error.code == "cancelled":
                await self._end(job, "cancelled")
            elif not await asyncio.to_thread(self._queue.has_home):
                await insist_on(partial(self._queue.put_back, job, count_attempt=False))
            elif error.code == StorageError.code and job.attempts < MAX_ATTEMPTS:
                # Its disk has come back, or may have room again, by now.
                await insist_on(self._queue.make_room)
                await insist_on(partial(self._queue.put_back, job))
            else:
                await self._end(job, "failed", Failure(code=error.code, message=str(error)))
        except TimeoutError:
            worker.kill()
            minutes = self._limits.job_s / 60
            text = f"The job took longer than {minutes:.0f} minutes and was stopped."
            await self._end(job, "failed", Failure(code="too_long", message=text))
        else:
            if not await self._end(job, "done", report=report):
                out.unlink(missing_ok=True)  # Cancelled in the very last moment.

    async def _end(
        self,
        job: Job,
        state: JobState,
        error: Failure | None = None,
        report: Mapping[str, object] | None = None,
    ) -> bool:
        return await insist_on(lambda: self._queue.finish(job.id, state, error, report))

    def _kill_if_at(self, worker: WorkerProcess, work_id: str) -> None:
        if self._job is not None and self._job.id == work_id and self._worker is worker:
            log.warning("worker %s does not stop its cancelled job and is killed", worker.pid)
            worker.kill()


def _fingerprint() -> str:
    """Of what is installed and allowed; a damaged list of choices counts as one more state."""
    try:
        return f"{fingerprint()} {is_network_allowed()}"
    except LatentFuError as error:
        return str(error)


async def insist_on(write: Callable[[], Awaitable[T]]) -> T:
    """Write to the queue; while the disk is full, again every second."""
    while True:
        try:
            return await write()
        except StorageError as error:
            log.error("%s", error)
            await asyncio.sleep(1.0)


async def _first(wanted: Awaitable[object], other: Awaitable[object]) -> bool:
    """Wait for either; whether ``wanted`` came."""
    tasks = [asyncio.ensure_future(wanted), asyncio.ensure_future(other)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].done()
    finally:
        for task in tasks:
            task.cancel()
