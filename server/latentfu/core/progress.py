"""How long work reports where it is and learns that nobody wants it any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Called by long work; the implementation shows a bar, streams an event, or does nothing."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Report ``fraction`` (0..1) done; raises :class:`CancelledError` when work must stop."""


class ByteCount(str):
    """A message to a :class:`Progress` about bytes, with the numbers for programs.

    ``done``: bytes that have come. ``total``: bytes of all of it; None where nobody says.

    >>> ByteCount.of(5_000_000, 20_000_000)
    '5 of 20 MB'
    """

    done: int
    total: int | None

    @classmethod
    def of(cls, done: int, total: int | None) -> ByteCount:
        """The message for so many bytes of so many."""
        whole = f" of {total / 1e6:.0f}" if total else ""
        made = cls(f"{done / 1e6:.0f}{whole} MB")
        made.done, made.total = done, total
        return made


def silent(fraction: float, message: str = "") -> None:
    """A :class:`Progress` for callers that do not watch.

    Args:
        fraction: 0 to 1; not used.
        message: not used.
    """


def between(progress: Progress, start: float, end: float) -> Progress:
    """A stretch of a longer work's progress.

    Args:
        progress: of the whole.
        start: where the stretch begins, 0 to 1.
        end: where it ends, 0 to 1.

    Returns:
        A :class:`Progress` whose 0..1 is ``start``..``end`` of ``progress``.

    >>> between(lambda fraction, message: print(fraction, message), 0.5, 1.0)(0.5, "Cropping")
    0.75 Cropping
    """

    def part(fraction: float, message: str = "") -> None:
        progress(start + (end - start) * min(max(fraction, 0.0), 1.0), message)

    return part


_check: ContextVar[Callable[[], None] | None] = ContextVar("_check", default=None)


@contextmanager
def cancel_scope(check: Callable[[], None]) -> Iterator[None]:
    """A context inside which :func:`check_cancelled` calls ``check``.

    Args:
        check: called often, from the thread that entered; raises (CancelledError, as a rule) to
            stop the work.

    Yields:
        Nothing; what was in force before comes back at the end.
    """
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def check_cancelled() -> None:
    """Raise :class:`CancelledError` if nobody wants the work any more.

    Long computations call it between their steps, a network between its layers. Outside of
    :func:`cancel_scope` it does nothing.
    """
    check = _check.get()
    if check is not None:
        check()


class Stopwatch:
    """Named durations in seconds, for the timing part of a report."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Add the time since the last lap (or the start) to a part of the work.

        Args:
            name: of the part; the same name again adds to it.
        """
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
