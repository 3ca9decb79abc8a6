"""The process that lists, installs and removes networks, beside the work on layers.

A download may take an hour and an import gigabytes: neither keeps an edit waiting, and the
memory is free again when the process ends, a while after its last use.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from latentfu.jobs.device_worker import insist_on
from latentfu.jobs.frames import Message
from latentfu.jobs.process import WorkerDied, WorkerProcess
from latentfu.jobs.queue import JobQueue
from latentfu.jobs.store import Job, Limits
from latentfu.plugin_manager.sources import quick_stamp
from latentfu.protocol.errors import WorkError, WorkerUnavailableError
from latentfu.protocol.replies import Failure

log = logging.getLogger(__name__)
MODULE = "latentfu.worker.installer"


class NetworkInstaller:
    """Starts the process when it is needed and feeds it, one installation at a time."""

    def __init__(self, queue: JobQueue, limits: Limits) -> None:
        self._queue = queue
        self._limits = limits
        self._process: WorkerProcess | None = None
        self._starting = asyncio.Lock()
        self._stamp: tuple[int, ...] = ()
        self._job: Job | None = None
        self._asked = 0
        self._used = time.monotonic()
        self._stopping = False

    async def run(self) -> None:
        """Install what is put into the queue, one after the other."""
        while not self._stopping:
            job = await insist_on(partial(self._queue.claim, "install"))
            if job is None:
                await self._wait_for_work()
                continue
            self._job = job
            try:
                await self._do(job)
            except WorkerDied:
                if not self._stopping:
                    await insist_on(partial(self._queue.worker_died, job))
            finally:
                self._job, self._used = None, time.monotonic()

    async def stop(self) -> None:
        """End the process; an installation goes on with the next server."""
        self._stopping = True
        job, self._job = self._job, None
        if job is not None:
            await self._queue.put_back(job, count_attempt=False)
        if self._process is not None:
            await self._process.stop()

    def cancel(self, job_id: str) -> None:
        """Pause an installation; if it does not listen, its process is killed after a while."""
        process = self._process
        if process is None or self._job is None or self._job.id != job_id:
            return
        process.tell({"do": "cancel", "id": job_id})
        loop = asyncio.get_running_loop()
        loop.call_later(self._limits.cancel_s, self._kill_if_at, process, job_id)

    async def list_networks(self) -> list[dict[str, Any]]:
        """What is installed, and what can be; raises WorkerUnavailableError."""
        try:
            report = await self._ask({"do": "networks"})
        except WorkerUnavailableError:
            if self._stopping:
                raise
            report = await self._ask({"do": "networks"})  # it was killed with a paused download
        found: list[dict[str, Any]] = report["networks"]
        return found

    async def remove(self, name: str) -> str:
        """Remove a network; a sentence. Raises WorkError or WorkerUnavailableError."""
        return str((await self._ask({"do": "remove", "network": name}))["message"])

    async def _ask(self, message: Mapping[str, object]) -> dict[str, Any]:
        self._asked += 1
        try:
            async with asyncio.timeout(self._limits.installer_s):
                process = await self._ready_process()
                return await process.ask({**message, "id": str(uuid.uuid4())})
        except TimeoutError as error:
            raise WorkerUnavailableError(
                "The process that installs networks does not answer: try again in some seconds."
            ) from error
        except WorkerDied as error:
            raise WorkerUnavailableError(
                "The process that installs networks ended: the server's log says more."
            ) from error
        finally:
            self._asked -= 1
            self._used = time.monotonic()

    async def _ready_process(self) -> WorkerProcess:
        """The process; a new one where none runs, or plug-ins have changed since it started."""
        async with self._starting:
            stamp, process = quick_stamp(), self._process
            if process is not None and not process.ended.is_set():
                if stamp == self._stamp or self._job is not None or self._asked > 1:
                    return process
                await process.stop()
            self._stamp = stamp
            self._process = await WorkerProcess.start((), self._hear, MODULE)
            return self._process

    def _hear(self, message: Message) -> None:
        if message.get("event") == "progress":
            told: Any = message
            self._queue.progress(
                told["id"], told["fraction"], told["message"], told["done"], told["total"]
            )

    async def _do(self, job: Job) -> None:
        process = await self._ready_process()
        try:
            report = await process.ask({"do": "install", "id": job.id, "body": dict(job.body)})
        except WorkError as error:
            if error.code == "cancelled" and self._stopping:
                return
            if error.code == "cancelled":
                await insist_on(partial(self._queue.finish, job.id, "cancelled"))
                return
            failure = Failure(code=error.code, message=str(error))
            await insist_on(partial(self._queue.finish, job.id, "failed", failure))
        else:
            await insist_on(partial(self._queue.finish, job.id, "done", report=report))

    async def _wait_for_work(self) -> None:
        """Until something is put into the queue; a process that nobody needs ends meanwhile."""
        pause = max(0.1, self._limits.installer_idle_s / 4)
        try:
            await asyncio.wait_for(self._queue.work["install"].wait(), pause)
        except TimeoutError:
            is_idle = time.monotonic() - self._used > self._limits.installer_idle_s
            if is_idle and not self._asked and self._process is not None:
                async with self._starting:
                    process, self._process = self._process, None
                    await process.stop()

    def _kill_if_at(self, process: WorkerProcess, job_id: str) -> None:
        if self._job is not None and self._job.id == job_id and self._process is process:
            log.warning("installer %s does not stop and is killed", process.pid)
            process.kill()
            self._process = None  # whoever asks now gets a new one
