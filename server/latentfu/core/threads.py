"""How many threads torch works with: those cores that other programs leave free.

Two threads that share a picture wait for each other after each layer. On an idle machine they wait
by asking again and again, which is quickest; where another program takes one of the cores, the one
waits in vain for the other, and the work takes ten times as long as with one thread. A desktop is
seldom idle, so the number follows the load, which is measured again and again while work goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

PERIOD_S = 0.1
"""How often the load is measured at most: shorter, and what the system counts in is too coarse."""
SHARE = 0.35
"""Of a core: what others may take of it and it still counts as free."""
_STALE_S = 5.0
"""A load that was measured over a longer time says little about now."""
_NOT_WORK = frozenset({"idle", "iowait", "guest", "guest_nice"})  # guests are counted as users


def choose_thread_count(most: int, cores: int, taken: float) -> int:
    """How many threads to work with.

    Args:
        most: threads there may be, 1 or more.
        cores: that the machine has.
        taken: cores that others are using, 0 to ``cores``.

    Returns:
        1 to ``most``.

    >>> choose_thread_count(2, 2, 0.1), choose_thread_count(2, 2, 1.0)
    (2, 1)
    """
    return max(1, min(most, int(cores - taken + SHARE)))


class LoadMeter:
    """Measures how many cores other programs used since it was asked last."""

    def __init__(self) -> None:
        import psutil  # not at the start of every program

        self._times, self._process = psutil.cpu_times, psutil.Process()
        self._seen = self._read()

    def measure_taken_cores(self) -> float:
        """Cores that others use, from 0 on; programs of lower priority give way and are left out.

        Returns:
            Their mean since the last call.
        """
        (when, whole, own), self._seen = self._seen, self._read()
        passed = max(self._seen[0] - when, 1e-6)
        return max(0.0, ((self._seen[1] - whole) - (self._seen[2] - own)) / passed)

    def _read(self) -> tuple[float, float, float]:
        """When, and seconds of work until then: of all, of this process."""
        whole = self._times()._asdict()
        left_out = _NOT_WORK if self._is_nice() else _NOT_WORK | {"nice"}
        own = self._process.cpu_times()
        return (
            time.monotonic(),
            sum(seconds for name, seconds in whole.items() if name not in left_out),
            own.user + own.system,
        )

    def _is_nice(self) -> bool:
        return os.name == "posix" and os.nice(0) > 0


class ThreadChooser:
    """Sets the number of torch's threads by the load, and leaves it alone where others set it."""

    def __init__(self, meter: LoadMeter) -> None:
        import torch

        self._meter = meter
        self._most = self._set = torch.get_num_threads()
        self._due = time.monotonic() + PERIOD_S
        self.held = 0

    def fit(self) -> None:
        """Choose anew if it is time for that."""
        import torch

        now = time.monotonic()
        if now < self._due or self._most == 1:
            return
        is_stale = now > self._due + _STALE_S
        self._due = now + PERIOD_S
        taken = self._meter.measure_taken_cores()
        if is_stale or self.held or torch.get_num_threads() != self._set:
            return
        chosen = choose_thread_count(self._most, os.cpu_count() or 1, taken)
        if chosen != self._set:
            self._set = chosen
            torch.set_num_threads(chosen)


_fitting: list[ThreadChooser] = []
"""The one of this process, once there is a network."""


def start_fitting_threads() -> None:
    """From now on :func:`fit_threads` fits the number of threads to the machine's load."""
    if not _fitting:
        _fitting.append(ThreadChooser(LoadMeter()))


def fit_threads() -> None:
    """Between two steps of work: fewer threads where others use the cores, more when they end."""
    for chooser in _fitting:
        chooser.fit()


@contextmanager
def hold_threads(count: int) -> Iterator[None]:
    """A context in which torch works with so many threads, whatever the load.

    Args:
        count: 1 or more.

    Yields:
        Nothing; what was in force before comes back at the end.
    """
    import torch

    before, held = torch.get_num_threads(), list(_fitting)
    for chooser in held:
        chooser.held += 1
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        for chooser in held:
            chooser.held -= 1
