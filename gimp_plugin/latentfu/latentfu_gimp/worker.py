"""One thread that does the waiting; of the previews only the newest is done."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Task = Callable[[], None]


class Worker:
    """Runs tasks one after the other; a task must hand its results over by itself."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()
        self._newest: Task | None = None
        self._stopped = False
        self._last: Task = lambda: None
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._loop, name="latentfu", daemon=True)
        self._thread.start()

    def add(self, task: Task) -> None:
        """Do ``task`` after those added before."""
        with self._wake:
            self._tasks.append(task)
            self._wake.notify()

    def replace(self, task: Task) -> None:
        """Do ``task`` when nothing else waits, unless a newer one replaces it before."""
        with self._wake:
            self._newest = task
            self._wake.notify()

    def forget_previews(self) -> None:
        """Drop the task given to :meth:`replace` if it has not begun."""
        with self._wake:
            self._newest = None

    def stop(self, last: Task) -> None:
        """End the thread after the task that runs now and then ``last``."""
        with self._wake:
            self._last = last
            self._stopped = True
            self._tasks.clear()
            self._newest = None
            self._wake.notify()

    def _loop(self) -> None:
        while True:
            with self._wake:
                while not (self._tasks or self._newest or self._stopped):
                    self._wake.wait()
                if self._stopped:
                    break
                task = self._next()
            task()
        self._last()

    def _next(self) -> Task:
        if self._tasks:
            return self._tasks.popleft()
        task, self._newest = self._newest, None
        assert task
        return task
