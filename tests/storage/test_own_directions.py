"""Directions that were made wait a day to be kept; what is worked on stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from latentfu.core.paths import cache_dir
from latentfu.storage.directions import Direction
from latentfu.storage.own_directions import drop_draft, open_scratch, read_draft, write_draft

DAY = 86_400


def direction(name: str) -> Direction:
    return Direction(np.ones(4, np.float32), "w", name, "a" * 64)


def make_old(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def names(key: str) -> list[str]:
    return [one.name for one in read_draft(key)]


def test_a_draft_is_there_until_it_is_dropped_or_a_day_old(isolated_home: Path) -> None:
    write_draft("one", [direction("b"), direction("a")])
    write_draft("two", [direction("c")])
    write_draft("two", [direction("d")])
    assert (names("one"), names("two"), names("three")) == (["b", "a"], ["d"], [])
    make_old(cache_dir() / "made-directions" / "one", 2 * DAY)
    write_draft("three", [direction("e")])
    assert (names("one"), names("two"), names("three")) == ([], ["d"], ["e"])
    drop_draft("three")
    assert names("three") == []


def test_a_damaged_draft_is_none(isolated_home: Path) -> None:
    write_draft("one", [direction("a")])
    (file,) = (cache_dir() / "made-directions" / "one").iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert names("one") == []


def test_what_is_worked_in_stays_and_what_a_sudden_end_left_goes(isolated_home: Path) -> None:
    with open_scratch() as folder:
        make_old(folder, 10 * DAY)
        left = folder.parent / "new-left"
        left.mkdir()
        make_old(left, 40 * DAY)
        write_draft("one", [direction("a")])
        assert folder.is_dir() and not left.exists()
    assert [path.name for path in folder.parent.iterdir()] == ["one"]
