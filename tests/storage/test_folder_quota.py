"""Folders that may take so many bytes, on a disk that is small."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu.bench.shaky_home import make_shaky_home
from latentfu.storage.folder_quota import shrink_folder

MB = 1 << 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """On a disk of 256 MB; root on Linux alone can make one."""
    with make_shaky_home() as home:
        if not home.is_mounted:
            pytest.skip("no disk can be mounted here")
        made = home.path / "results"
        made.mkdir()
        yield made


def fill(folder: Path, count: int, size: int) -> list[str]:
    """Files from the oldest to the newest."""
    for number in range(count):
        path = folder / f"{number:03}"
        path.write_bytes(b"\0" * size)
        os.utime(path, ns=(number, number))
    return sorted(path.name for path in folder.iterdir())


def test_an_eighth_of_a_small_disk_stays_free(folder: Path) -> None:
    names = fill(folder, 60, 4 * MB)
    left = shrink_folder(folder, 8 << 30)
    disk = shutil.disk_usage(folder)
    assert disk.total // 8 <= disk.free < disk.total // 8 + 4 * MB
    kept = sorted(path.name for path in folder.iterdir())
    assert kept == names[-len(kept) :] and left == len(kept) * 4 * MB


def test_what_others_have_filled_costs_no_more_than_that(folder: Path) -> None:
    names = fill(folder, 40, MB)
    ballast = folder.parent / "ballast"
    ballast.write_bytes(b"\0" * (shutil.disk_usage(folder).free - MB))
    shrink_folder(folder, 8 << 30, keep=(names[0],))
    kept = sorted(path.name for path in folder.iterdir())
    assert kept == [names[0], *names[-len(kept) + 1 :]]
    assert 7 <= len(kept) <= 9, kept  # 32 MB are to be free, and one was
    shrink_folder(folder, 8 << 30, keep=(names[0],))
    assert len(list(folder.iterdir())) == len(kept)


def test_where_there_is_room_the_limit_alone_counts(folder: Path) -> None:
    names = fill(folder, 10, MB)
    assert shrink_folder(folder, 8 << 30) == 10 * MB
    assert shrink_folder(folder, 4 * MB) == 4 * MB
    assert sorted(path.name for path in folder.iterdir()) == names[-4:]
