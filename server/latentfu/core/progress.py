"""How long work reports where it is and learns that nobody wants it any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from latentfu.core.errors import CancelledError


class Progress(Protocol):
    """Called by long work; the implementation shows a bar, streams an event, or does nothing."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Report ``fraction`` (0..1) done; raises :class:`CancelledError` when work must stop."""


def silent(fraction: float, message: str = "") -> None:
    """A :class:`Progress` for callers that do not watch."""


def between(progress: Progress, start: float, end: float) -> Progress:
    """A :class:`Progress` whose 0..1 is the stretch ``start``..``end`` of ``progress``.

    >>> between(lambda fraction, message: print(fraction, message), 0.5, 1.0)(0.5, "Cropping")
    0.75 Cropping
    """

    def part(fraction: float, message: str = "") -> None:
        progress(start + (end - start) * min(max(fraction, 0.0), 1.0), message)

    return part


def cancellable(progress: Progress, cancelled: Callable[[], bool]) -> Progress:
    """``progress`` that raises :class:`CancelledError` once ``cancelled()`` is true."""

    def checked(fraction: float, message: str = "") -> None:
        if cancelled():
            raise CancelledError
        progress(fraction, message)

    return checked


class Stopwatch:
    """Named durations in seconds, for the timing part of a report."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Add the time since the last lap (or the start) to ``name``."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
