"""Workers of this machine: this process itself, or others that end when it does.

A process that dies (out of memory, killed) takes its pool along; the batches under way are given
to a new one.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_pipe
from typing import Any

from latentfu.core.errors import LatentFuError, OutOfMemoryError, is_memory_fault
from latentfu.core.process_memory import measure_machine
from latentfu.engine.batch_task import BatchTask, Resources, WorkerPlace, fixed_threads
from latentfu.engine.map_batches import WorkerCrew

_WORTH_A_PROCESS = 16
"""Batches: starting a process, with a network in it, takes as long as many of them."""
_MOST_DEATHS = 3


class LocalEngine:
    """This machine; ``jobs``: processes (1: this one; None: as many as there is use for)."""

    def __init__(self, jobs: int | None = 1) -> None:
        self.jobs = jobs

    def choose_device(self, here: str) -> str:
        """The same kind of device as this process."""
        return here.partition(":")[0]

    @contextmanager
    def hire(
        self, task: BatchTask[Any, Any, Any], resources: Resources, batches: int
    ) -> Iterator[WorkerCrew]:
        """Workers for a task; those that are still at work at the end are killed."""
        jobs = min(self.jobs or _count_useful_jobs(resources, batches), batches)
        with fixed_threads(resources.threads):
            if jobs == 1:
                yield _OwnProcess(task, resources)
                return
            crew = _ProcessCrew(task, resources, jobs)
            try:
                yield crew
            except BaseException:
                crew.kill()
                raise
            crew.dismiss()


def _count_useful_jobs(resources: Resources, batches: int) -> int:
    """How many processes are quicker than one: of cores or cards, batches and memory."""
    if resources.uses_card:
        import torch

        most = torch.cuda.device_count()
    else:
        most = _count_cores() // resources.threads
        if resources.memory:
            most = min(most, measure_machine() // (2 * resources.memory))
    return max(1, min(most, batches // _WORTH_A_PROCESS))


def _count_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _OwnProcess:
    """One worker, which is this process: a batch is done when its result is asked for."""

    slots = 1

    def __init__(self, task: BatchTask[Any, Any, Any], resources: Resources) -> None:
        self.task, self.resources = task, resources
        self._state = task.at_hand
        self._waiting: list[tuple[int, Sequence[Any]]] = []

    def submit(self, number: int, batch: Sequence[Any]) -> None:
        self._waiting.append((number, batch))

    def collect(self, seconds: float) -> list[tuple[int, Any]]:
        if self._state is None:
            self._state = self.task.set_up(WorkerPlace(self.resources.device))
        waiting, self._waiting = self._waiting, []
        return [(number, self.task.run(self._state, batch)) for number, batch in waiting]


class _ProcessCrew:
    """Processes of this machine, started anew when one dies."""

    def __init__(self, task: BatchTask[Any, Any, Any], resources: Resources, jobs: int) -> None:
        self.task, self.resources, self.jobs = task, resources, jobs
        self.slots = 2 * jobs
        self._under_way: dict[concurrent.futures.Future[Any], tuple[int, Sequence[Any]]] = {}
        self._deaths = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        # The children end when the other end closes: on a cancel, and however this process dies.
        self._life, held = context.Pipe(duplex=False)[::-1]
        devices = context.SimpleQueue()
        for device in _list_devices(self.resources.device, self.jobs):
            devices.put(device)
        begin = (held, devices, self.resources.threads, self.task.set_up, self.task.run)
        self._pool = concurrent.futures.ProcessPoolExecutor(
            self.jobs, context, _begin_worker, begin
        )
        self._held = held

    def submit(self, number: int, batch: Sequence[Any]) -> None:
        try:
            with _interrupts_held():  # it may start a process
                future = self._pool.submit(_work_on_batch, batch)
        except BrokenProcessPool:
            future = concurrent.futures.Future()
            future.set_exception(BrokenProcessPool())  # it is told with the others
        self._under_way[future] = number, batch

    def collect(self, seconds: float) -> list[tuple[int, Any]]:
        ready, _ = concurrent.futures.wait(
            self._under_way, seconds, concurrent.futures.FIRST_COMPLETED
        )
        found, lost = [], []
        for future in ready:
            number, batch = self._under_way.pop(future)
            try:
                found.append((number, future.result()))
            except BrokenProcessPool:
                lost.append((number, batch))
        if found:
            self._deaths = 0
        if lost:
            self._begin_again(lost)
        return found

    def _begin_again(self, lost: list[tuple[int, Sequence[Any]]]) -> None:
        """A new pool, which is given what the old one had not done."""
        self._deaths += 1
        lost += self._under_way.values()
        self._under_way = {}
        self.dismiss()
        if self._deaths > _MOST_DEATHS:
            raise OutOfMemoryError(
                f"A process of the {self.jobs} at work was killed {self._deaths} times in a row, "
                "most likely for want of memory: give fewer --jobs, and the work goes on."
            )
        self._start()
        for number, batch in sorted(lost):
            self.submit(number, batch)

    def dismiss(self) -> None:
        """Let processes that have nothing to do end."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._life.close()
        self._held.close()

    def kill(self) -> None:
        """End processes in the middle of their work."""
        self._life.close()
        self._held.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A Ctrl-C comes afterwards; processes that are started meanwhile hear none at all.

    Before they can say so themselves they import for seconds.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _list_devices(device: str, jobs: int) -> list[str]:
    """What each process works on: the cards in turn, where cards are meant and none is named."""
    if device != "cuda":
        return [device] * jobs
    import torch

    return [f"cuda:{number % max(1, torch.cuda.device_count())}" for number in range(jobs)]


class _Worker:
    """What a process knows of its task; ``state`` comes with the first batch."""

    set_up: Callable[[WorkerPlace], Any]
    run: Callable[[Any, Sequence[Any]], Any]
    place: WorkerPlace
    state: Any = None


def _begin_worker(
    life: Connection,
    devices: Any,
    threads: int,
    set_up: Callable[[WorkerPlace], Any],
    run: Callable[[Any, Sequence[Any]], Any],
) -> None:
    """The first thing that a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's to hear
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    _Worker.set_up, _Worker.run = staticmethod(set_up), staticmethod(run)
    _Worker.place = WorkerPlace(devices.get())


def _end_with(life: Connection) -> None:
    """End this process, whatever it does, when its parent closes the pipe or dies."""
    with suppress(OSError, ValueError):
        wait_for_pipe([life])
    os._exit(1)


def _work_on_batch(batch: Sequence[Any]) -> Any:
    """A batch's result, in a process of the pool."""
    try:
        if _Worker.state is None:
            _Worker.state = _Worker.set_up(_Worker.place)
        return _Worker.run(_Worker.state, batch)
    except LatentFuError:
        raise
    except Exception as error:
        if is_memory_fault(error):
            raise OutOfMemoryError(
                "There is too little memory for so many processes: give fewer --jobs, and the "
                "work goes on."
            ) from error
        raise
