"""Sessions of previews are shared evenly by the workers, and each stays with its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentfu.jobs.previews import Previews


class CountingWorker:
    """Takes the time it is told to, and remembers whose previews it made."""

    def __init__(self, seconds: float = 0.0, *, is_here: bool = True) -> None:
        self.seconds, self.is_here = seconds, is_here
        self.layers: set[str] = set()
        self.made: Counter[str] = Counter()

    async def preview(self, _: str, session: str, body: Mapping[str, object], out: Path) -> None:
        await asyncio.sleep(self.seconds)
        self.made[session] += 1
        out.write_bytes(b"picture")

    def knows(self, layer: str) -> bool:
        return layer in self.layers

    def cancel(self, work_id: str) -> None:
        pass


def open_previews(folder: Path, workers: list[Any], waiting: int = 64) -> Previews:
    return Previews(folder, workers, waiting, waiting, 30.0)


def test_a_crowd_is_shared_evenly_and_stays_where_it_is(tmp_path: Path) -> None:
    workers = [CountingWorker(0.01) for _ in range(3)]

    async def slide() -> None:
        previews = open_previews(tmp_path, workers)
        for _ in range(4):
            asked = [previews.make(f"session-{n}", {}, lambda: True) for n in range(30)]
            assert set(await asyncio.gather(*asked)) == {b"picture"}

    asyncio.run(slide())
    assert [len(worker.made) for worker in workers] == [10, 10, 10]
    assert all(set(worker.made.values()) == {4} for worker in workers)


def test_who_comes_new_goes_where_fewer_wait(tmp_path: Path) -> None:
    slow, quick = CountingWorker(0.5), CountingWorker()

    async def slide() -> None:
        previews = open_previews(tmp_path, [slow, quick])
        first = asyncio.create_task(previews.make("first", {}, lambda: True))
        await asyncio.sleep(0.05)
        for number in range(3):  # one after the other, while the first still waits
            await previews.make(f"later-{number}", {}, lambda: True)
        await first

    asyncio.run(slide())
    assert set(slow.made) == {"first"}
    assert set(quick.made) == {"later-0", "later-1", "later-2"}


def test_a_layer_that_another_machine_has_inverted_is_shown_by_it(tmp_path: Path) -> None:
    here, there = CountingWorker(), CountingWorker(is_here=False)
    there.layers.add("known")

    async def slide() -> None:
        previews = open_previews(tmp_path, [here, there])
        await previews.make("a", {"layer": "new"}, lambda: True)
        await previews.make("b", {"layer": "known"}, lambda: True)
        await previews.make("b", {"layer": "known"}, lambda: True)
        there.layers.clear()  # that machine is gone
        await previews.make("b", {"layer": "known"}, lambda: True)

    asyncio.run(slide())
    assert here.made == {"a": 1, "b": 1}
    assert there.made == {"b": 2}


def test_sessions_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    worker = CountingWorker()

    async def slide() -> int:
        previews = open_previews(tmp_path, [worker])
        for number in range(1200):
            await previews.make(f"session-{number}", {}, lambda: True)
        return len(previews._homes)

    assert asyncio.run(slide()) == 1000
