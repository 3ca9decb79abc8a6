"""How long a person waits for the server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from latentfu.bench import Measure
from latentfu.bench.server import own_server, wait_for_worker

_RUNS = 3


def measure() -> Iterator[Measure]:
    """From the start of the process to the first health answer, and to a worker that is ready."""
    first: list[float] = []
    ready: list[float] = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        with own_server() as client:
            first.append((time.perf_counter() - began) * 1000)
            wait_for_worker(client)
            ready.append((time.perf_counter() - began) * 1000)
    yield Measure("serve to first health", statistics.median(first), "ms", _RUNS)
    yield Measure("serve to worker ready", statistics.median(ready), "ms", _RUNS)
