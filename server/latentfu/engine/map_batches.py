"""The one way to work on many things: batches given to workers, results in the order of items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from latentfu.core.progress import Progress, check_cancelled, silent
from latentfu.engine.batch_task import (
    BatchItem,
    BatchResult,
    BatchState,
    BatchTask,
    Resources,
    split_items,
)

Order = Literal["items", "finished"]
_PATIENCE_S = 0.2
"""How long a cancel may go unheard."""
_AHEAD = 4
"""Batches for each one under way that may be worked on before an earlier one is done."""


class WorkerCrew(Protocol):
    """Workers that have been set up for a task, or will be when the first batch comes."""

    @property
    def slots(self) -> int:
        """How many batches may be given before one comes back; it may change."""
        ...

    def submit(self, number: int, batch: Sequence[Any]) -> None:
        """Give a batch to whichever worker is free; ``number`` tells it from others."""
        ...

    def collect(self, seconds: float) -> list[tuple[int, Any]]:
        """The batches that are done, after ``seconds`` at most; raises what a worker raised.

        What a worker that died had to do is given to another one.
        """
        ...


class Engine(Protocol):
    """Where work is done: this process, others of this machine, or the machines of a cluster."""

    def choose_device(self, here: str) -> str:
        """What workers compute on, "cpu" or "cuda", where this process would on ``here``."""
        ...

    def hire(
        self, task: BatchTask[Any, Any, Any], resources: Resources, batches: int
    ) -> AbstractContextManager[WorkerCrew]:
        """A context that gives workers for a task of so many batches, and ends them."""
        ...


def map_batches(
    task: BatchTask[BatchState, BatchItem, BatchResult],
    items: Sequence[BatchItem],
    resources: Resources,
    order: Order = "items",
    *,
    engine: Engine,
    progress: Progress = silent,
) -> Iterator[tuple[int, BatchResult]]:
    """Work on items in batches, wherever the engine has workers.

    Args:
        task: what is done with a batch.
        items: what it is done with; a ``range`` of numbers, as a rule.
        resources: what a worker takes, and how many items are a batch.
        order: "items" gives the results as the items stand; "finished" as they are done, for those
            who put them in their places themselves.
        engine: from ``open_engine``.
        progress: told how many batches are done, and asked whether anybody still wants the work.

    Yields:
        Where a batch begins among the items, and its result.

    Raises:
        CancelledError: ``progress`` raised it; the workers are ended.
        LatentFuError: what the work raised, or that workers died again and again.
    """
    batches = split_items(items, resources.batch)
    if not batches:
        return
    with engine.hire(task, resources, len(batches)) as crew:
        for number, result in run_batches(crew, batches, order, progress):
            yield number * resources.batch, result


def run_batches(
    crew: WorkerCrew, batches: Sequence[Sequence[Any]], order: Order, progress: Progress
) -> Iterator[tuple[int, Any]]:
    """The same by a crew that stays, for work whose next step needs the results of the last.

    Args:
        crew: from ``Engine.hire``.
        batches: what its workers are given.
        order: as for ``map_batches``.
        progress: likewise.

    Yields:
        A batch's number and its result.

    Raises:
        CancelledError: ``progress`` raised it.
        LatentFuError: what the work raised.
    """
    given = passed = 0
    kept: dict[int, Any] = {}
    done: set[int] = set()
    while len(done) < len(batches):
        while given < len(batches) and given - len(done) < crew.slots:
            if order == "items" and given - passed >= _AHEAD * crew.slots:
                break  # what waits for an early batch is kept in memory
            crew.submit(given, batches[given])
            given += 1
        for number, result in crew.collect(_PATIENCE_S):
            done.add(number)
            if order == "finished":
                yield number, result
            else:
                kept[number] = result
        while passed in kept:
            yield passed, kept.pop(passed)
            passed += 1
        check_cancelled()
        progress(len(done) / len(batches), f"{len(done)} of {len(batches)} batches")
