"""The front's end of one worker process: start it, ask it, hear from it, end it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from latentfu.jobs import frames
from latentfu.jobs.frames import Message
from latentfu.protocol.errors import WorkError

log = logging.getLogger(__name__)
Hear = Callable[[Message], None]


class WorkerDied(Exception):  # noqa: N818 - an event, not a mistake
    """The worker process ended before it answered."""


_ENDS_WITHIN_S = 5.0
"""A worker that takes longer is killed."""


class WorkerProcess:
    """A running worker. ``hear`` gets every message that answers no request."""

    def __init__(self, process: asyncio.subprocess.Process, hear: Hear) -> None:
        self._process = process
        self._hear = hear
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._log())]
        self.ended = asyncio.Event()

    @staticmethod
    async def start(
        arguments: Sequence[str], hear: Hear, module: str = "latentfu.worker.main"
    ) -> WorkerProcess:
        """Spawn the worker, or another ``module`` like it, with the interpreter that runs this."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # Never import from the folder the server happens to be started in.
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
            # Threads that spin while they wait for each other lose ten-fold beside other work.
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            start_new_session=os.name == "posix",  # Ctrl-C is for the front.
        )
        return WorkerProcess(process, hear)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def memory_mb(self) -> int:
        """Main memory that the process holds, in MB; 0 where there is no /proc, or it has ended."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20

    @property
    def how_it_ended(self) -> str:
        """For sentences: by which signal or with which exit code."""
        code = self._process.returncode
        if code is None:
            return "still runs"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message; a dead worker hears nothing and that is noticed elsewhere."""
        if self._process.stdin is not None and not self.ended.is_set():
            self._process.stdin.write(frames.pack_frame(message))

    async def ask(self, message: Mapping[str, object]) -> dict[str, Any]:
        """Send work and wait for its report; raises WorkError or WorkerDied."""
        work_id = str(message["id"])
        if self.ended.is_set():
            raise WorkerDied
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[work_id] = answer
        self.tell(message)
        try:
            return await answer
        finally:
            self._answers.pop(work_id, None)

    def kill(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self, patience_s: float = _ENDS_WITHIN_S) -> None:
        """Ask it to end, then make it."""
        self.tell({"do": "stop"})
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self.ended.wait(), patience_s)
        except TimeoutError:
            self.kill()
            await self.ended.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            while (message := await frames.read_frame_async(self._process.stdout)) is not None:
                self._sort(message)
        except frames.FrameError as error:
            log.error("worker %s: %s", self.pid, error)
            self.kill()
        try:  # It has closed the pipe, so it is about to end, and may have something to write.
            await asyncio.wait_for(self._process.wait(), _ENDS_WITHIN_S)
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self.ended.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(WorkerDied())

    def _sort(self, message: Message) -> None:
        answer = self._answers.get(str(message.get("id", "")))
        match message.get("event"):
            case "done" if answer is not None and not answer.done():
                report: Any = message["report"]
                answer.set_result(report)
            case "failed" if answer is not None and not answer.done():
                answer.set_exception(WorkError(str(message["code"]), str(message["message"])))
            case "done" | "failed":
                pass  # Nobody waits for it any more.
            case _:
                self._hear(message)

    async def _log(self) -> None:
        assert self._process.stderr is not None
        try:
            while line := await self._process.stderr.readline():
                log.info("worker %s: %s", self.pid, line.decode(errors="replace").rstrip()[:2000])
        except ValueError:  # A line longer than the limit: the rest is not worth the memory.
            while await self._process.stderr.read(1 << 16):
                pass
