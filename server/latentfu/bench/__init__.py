"""Measurements of this machine, by name: ``latentfu bench NAME``.

Times are medians, so that one
interruption does not count.
"""

from __future__ import annotations

import importlib
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

BENCHMARKS: dict[str, str] = {
    "edit": "editing a picture whose inversion is cached",
    "http": "a 2048 x 2048 layer through the server, without the network's own time",
    "start": "from latentfu serve to the first answer",
    "import": "import latentfu, latentfu --help",
}
"""What each benchmark measures, by its name."""
_FUNCTIONS = {
    "edit": ("edit", "measure_edits"),
    "http": ("server", "measure_round_trip"),
    "start": ("server", "measure_start"),
    "import": ("imports", "measure_imports"),
}


@dataclass(frozen=True)
class Measure:
    """One figure: ``value`` in ``unit``; ``runs`` is how many measurements it is the median of."""

    name: str
    value: float
    unit: str
    runs: int = 1


def run_benchmark(name: str) -> Iterator[Measure]:
    """The figures of benchmark ``name`` (one of BENCHMARKS) as they come."""
    module, function = _FUNCTIONS[name]
    measures: Iterable[Measure] = getattr(
        importlib.import_module(f"latentfu.bench.{module}"), function
    )()
    yield from measures


def stop_process(process: subprocess.Popen[bytes], patience_s: float = 20.0) -> None:
    """Ask a process to end, and end it by force when it does not."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def median_ms(what: str, action: Callable[[], object], runs: int) -> Measure:
    """Call ``action`` ``runs`` times; the median time in milliseconds."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return Measure(what, statistics.median(times), "ms", runs)
