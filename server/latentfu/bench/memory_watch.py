"""How the memory of a running server and its worker changes while it works."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from latentfu.bench import Measure
from latentfu.client.client import Client


class MemoryWatch:
    """Looks now and then; the middle of the early looks is held against that of the last ones."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._seen: list[tuple[int, int]] = []

    def look(self) -> None:
        """Note what both hold now; raises ServerError when there is no server."""
        health = self._connect().health()
        self._seen.append((_resident_mb(health.pid), health.worker.memory_mb))

    def tell(self) -> Iterator[Measure]:
        """For each of the two: MB at the end, and the change since the start in percent.

        The first fifth is left out: in it the processes take what so many clients need.
        """
        part = max(1, len(self._seen) // 5)
        for place, name in enumerate(("server", "worker")):
            held = [each[place] for each in self._seen if each[place]]
            early, late = held[part : 2 * part] or held[:1], held[-part:]
            if not early:
                continue
            before, after = statistics.median(early), statistics.median(late)
            yield Measure(f"memory of the {name}", after, "MB", len(held))
            yield Measure(f"memory of the {name}, change", 100.0 * (after - before) / before, "%")


def _resident_mb(pid: int) -> int:
    """Main memory of a process, in MB; 0 where there is no /proc, or it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20
