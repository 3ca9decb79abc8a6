"""Batches in this process and in others: the same bytes, whoever dies on the way."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu.core.errors import BadInputError, CancelledError, OutOfMemoryError
from latentfu.core.progress import cancel_scope
from latentfu.engine.batch_task import BatchTask, Resources, WorkerPlace
from latentfu.engine.local import LocalEngine
from latentfu.engine.map_batches import Engine, map_batches
from latentfu.engine.open_engine import open_engine

from tests.support import engine_tasks as tasks


def digest(engine: Engine, task: BatchTask, count: int = 58) -> bytes:  # type: ignore[type-arg]
    """All rows of a task as bytes, in the order of their items."""
    rows = [rows for _, rows in map_batches(task, range(count), tasks.SMALL, engine=engine)]
    return b"".join(row[name].tobytes() for name in ("codes", "scores") for row in rows)


def test_results_do_not_depend_on_processes(tmp_path: Path) -> None:
    one = digest(LocalEngine(1), tasks.multiplying(tmp_path / "1"))
    two = digest(LocalEngine(2), tasks.multiplying(tmp_path / "2", together=2))
    assert one == two and len(one) == 58 * (64 + 300) * 4
    assert len(list((tmp_path / "1").glob("worker-*"))) == 1
    assert len(list((tmp_path / "2").glob("worker-*"))) == 2
    assert not list((tmp_path / "2").glob(f"worker-{os.getpid()}"))


def test_results_come_in_order_or_with_their_places(tmp_path: Path) -> None:
    task = tasks.multiplying(tmp_path / "work")
    ordered = list(map_batches(task, range(20), tasks.SMALL, engine=LocalEngine(2)))
    assert [start for start, _ in ordered] == [0, 4, 8, 12, 16]
    told: list[float] = []
    free = dict(
        map_batches(
            task, range(20), tasks.SMALL, "finished", engine=LocalEngine(2),
            progress=lambda fraction, message="": told.append(fraction),
        )
    )  # fmt: skip
    assert all(np.array_equal(free[start]["scores"], rows["scores"]) for start, rows in ordered)
    assert told[-1] == 1.0 and told == sorted(told)


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    whole = digest(LocalEngine(1), tasks.multiplying(tmp_path / "whole"))
    folder = tmp_path / "killed"
    assert digest(LocalEngine(2), tasks.multiplying(folder, tasks.die_once)) == whole
    assert (folder / "died").exists() and len(list(folder.glob("worker-*"))) >= 2


def test_a_batch_that_kills_every_process_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="fewer --jobs"):
        digest(LocalEngine(2), tasks.multiplying(tmp_path / "work", tasks.die_always))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_cancel_ends_the_work_and_its_processes(tmp_path: Path, jobs: int) -> None:
    task = tasks.multiplying(tmp_path / "work", tasks.multiply_slowly)

    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        list(map_batches(task, range(400), tasks.SMALL, engine=LocalEngine(jobs), progress=stop))
    assert not multiprocessing.active_children()
    assert tasks.count_batches(tmp_path / "work") < 20


def test_a_cancel_is_heard_where_nothing_reports(tmp_path: Path) -> None:
    def nobody() -> None:
        raise CancelledError

    with cancel_scope(nobody), pytest.raises(CancelledError):
        digest(LocalEngine(1), tasks.multiplying(tmp_path / "work"))
    assert tasks.count_batches(tmp_path / "work") == 1


def test_who_takes_no_more_ends_the_processes(tmp_path: Path) -> None:
    task = tasks.multiplying(tmp_path / "work", tasks.multiply_slowly)
    found = map_batches(task, range(400), tasks.SMALL, engine=LocalEngine(2))
    assert next(found)[0] == 0
    found.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def refuse(state: object, numbers: object) -> object:
    raise BadInputError("These numbers are none.")


def test_what_a_worker_says_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="These numbers are none"):
        digest(LocalEngine(2), tasks.multiplying(tmp_path / "work", refuse))


def test_threads_are_those_of_the_task_and_come_back(tmp_path: Path) -> None:
    """Another number of threads adds in another order, and rounds otherwise."""
    before = torch.get_num_threads()
    seen: list[int] = []

    def look(state: object, numbers: object) -> None:
        seen.append(torch.get_num_threads())

    task: BatchTask[object, int, None] = BatchTask(lambda place: place, look)
    list(map_batches(task, range(2), Resources(1, threads=3), engine=LocalEngine(1)))
    assert seen == [3, 3] and torch.get_num_threads() == before


def test_what_is_there_already_is_not_made_again() -> None:
    def fail(place: WorkerPlace) -> str:
        raise AssertionError

    task: BatchTask[str, int, str] = BatchTask(fail, lambda state, batch: state, at_hand="open")
    assert list(map_batches(task, range(1), Resources(1), engine=LocalEngine(1))) == [(0, "open")]


def test_no_items_are_no_work(tmp_path: Path) -> None:
    assert digest(LocalEngine(2), tasks.multiplying(tmp_path / "work"), count=0) == b""
    assert not list((tmp_path / "work").iterdir())


def test_an_unknown_engine_is_a_sentence() -> None:
    with (
        pytest.raises(BadInputError, match=r"give local, ray, or ray://HOST:PORT"),
        open_engine("spark"),
    ):
        pass
