"""Measurements of this machine, by name: ``latentfu bench NAME``.

Each module here has one function that gives :class:`Measure` s. Times are medians, so that one
interruption does not count.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

#: name -> what it measures; ``latentfu.bench.NAME`` is the module (``imports`` for ``import``).
BENCHMARKS: dict[str, str] = {
    "edit": "editing a picture whose inversion is cached",
    "http": "a 2048 x 2048 layer through the server, without the network's own time",
    "start": "from latentfu serve to the first answer",
    "import": "import latentfu, latentfu --help",
}


@dataclass(frozen=True)
class Measure:
    """One figure: ``value`` in ``unit``; ``runs`` is how many measurements it is the median of."""

    name: str
    value: float
    unit: str
    runs: int = 1


def run(name: str) -> Iterator[Measure]:
    """The figures of benchmark ``name`` (one of BENCHMARKS) as they come."""
    module = importlib.import_module(f"latentfu.bench.{'imports' if name == 'import' else name}")
    measures: Iterable[Measure] = module.measure()
    yield from measures


def median_ms(what: str, action: Callable[[], object], runs: int) -> Measure:
    """Call ``action`` ``runs`` times; the median time in milliseconds."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return Measure(what, statistics.median(times), "ms", runs)
