"""Says what the demo is doing: a bar in a terminal, lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from latentfu.cli.output import progress_bar
from latentfu.core.progress import Progress

HEARTBEAT_SECONDS = 5.0


class Teller:
    """Announces each step and keeps how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Progress]:
        """One step; the progress given shows the bar, or a line every few seconds."""
        started = time.perf_counter()
        if sys.stderr.isatty():
            with progress_bar(title) as progress:
                yield progress
        else:
            print(f"{title} ...", flush=True)
            yield _lines()
        self.seconds[name] = round(time.perf_counter() - started, 3)
        print(f"{title}: {self.seconds[name]:.1f} s", flush=True)


def _lines() -> Progress:
    last = time.monotonic()

    def show(fraction: float, message: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= HEARTBEAT_SECONDS:
            last = now
            print(f"  {fraction:4.0%}  {message}", flush=True)

    return show
