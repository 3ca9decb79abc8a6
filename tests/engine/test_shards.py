"""Results in shards: what is whole stays, whatever ended the run, and the bytes are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from latentfu.core.errors import BadInputError, CancelledError, StorageError
from latentfu.core.progress import silent
from latentfu.engine.local import LocalEngine
from latentfu.engine.shards import MANIFEST, ShardedRows

from tests.support import engine_tasks as tasks

KEY: dict[str, str | int] = {"generator": "a" * 64, "seed": 3}
ROOT = Path(__file__).parents[2]


def draw(
    place: Path,
    count: int = 90,
    run: object = tasks.multiply,
    jobs: int = 1,
    together: int = 1,
    **more: object,
) -> ShardedRows:
    """Rows in shards of 16; what is done is written down beside the folder."""
    store = ShardedRows(place, KEY, batch=4, batches=4)
    task = tasks.multiplying(place.with_name(f"{place.name}-log"), run, together)
    store.draw(count, task, tasks.SMALL, engine=LocalEngine(jobs), **more)  # type: ignore[arg-type]
    return store


def files(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(place.iterdir())}


def batches(place: Path) -> int:
    return tasks.count_batches(place.with_name(f"{place.name}-log"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shards") / "whole"
    draw(place)
    return place


def test_shards_are_the_same_bytes_whatever_the_workers(whole: Path, tmp_path: Path) -> None:
    draw(tmp_path / "two", jobs=2)
    draw(tmp_path / "killed", jobs=2, run=tasks.die_once)
    assert files(tmp_path / "two") == files(tmp_path / "killed") == files(whole)
    assert len(files(whole)) == 7 and batches(whole) == 23


def test_rows_are_those_of_their_numbers(whole: Path) -> None:
    store = ShardedRows(whole, KEY, 4, 4)
    scores = store.read("scores", 90)
    assert store.read("codes", 90).shape == (90, 64) and scores.shape == (90, 300)
    weights = tasks.make_weights(None, whole.with_name("whole-log"))  # type: ignore[arg-type]
    alone = tasks.multiply(weights, range(40, 44))
    assert np.array_equal(scores[40:44], alone["scores"])


def test_a_manifest_says_what_is_there(whole: Path) -> None:
    told = json.loads((whole / MANIFEST).read_text())
    assert told["key"] == KEY and len(told["shards"]) == 6
    assert all((whole / each["file"]).stat().st_size == each["bytes"] for each in told["shards"])


def test_a_cancelled_run_goes_on(whole: Path, tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0.5:
            raise CancelledError

    place = tmp_path / "run"
    with pytest.raises(CancelledError):
        draw(place, progress=stop)
    assert not (place / MANIFEST).exists() and len(files(place)) == 3
    before = batches(place)
    draw(place)
    assert batches(place) - before == 23 - 12 and files(place) == files(whole)
    draw(place)
    assert batches(place) - before == 23 - 12


def test_a_killed_run_goes_on(whole: Path, tmp_path: Path) -> None:
    """SIGKILL to the program with two workers; they end with it."""
    place = tmp_path / "run"
    program = (
        "from pathlib import Path; from tests.engine.test_shards import draw, tasks\n"
        "if __name__ == '__main__':\n"
        f"    draw(Path({str(place)!r}), 90, tasks.multiply_slowly, jobs=2, together=2)\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([sys.executable, script], env=environment)
    until = time.monotonic() + 120
    while not (place / "shard-00001.safetensors").exists() and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    workers = [int(path.name[7:]) for path in place.with_name("run-log").glob("worker-*")]
    assert len(workers) == 2
    while any(is_alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in workers)
    kept = sum(name.startswith("shard") for name in files(place))
    assert kept >= 2 and not (place / MANIFEST).exists()
    before = batches(place)
    draw(place)
    assert batches(place) - before == 23 - 4 * kept and files(place) == files(whole)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "empty"])
def test_a_damaged_shard_is_made_again(whole: Path, tmp_path: Path, harm: str) -> None:
    place = tmp_path / "run"
    draw(place)
    shard = place / "shard-00002.safetensors"
    content = shard.read_bytes()
    harmed = {
        "cut": content[:-100],
        "flipped": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "empty": b"",
    }
    if harm == "gone":
        shard.unlink()
    else:
        shard.write_bytes(harmed[harm])
    before = batches(place)
    draw(place)
    assert batches(place) - before == 4 and files(place) == files(whole)


def test_more_rows_go_on_and_fewer_take_nothing_away(whole: Path, tmp_path: Path) -> None:
    """A batch is a full one from the beginning: the rows do not depend on what was asked first."""
    place = tmp_path / "run"
    store = draw(place, count=21)
    assert batches(place) == 6 and len(store.read("codes", 21)) == 21
    draw(place)
    assert batches(place) == 23 and files(place) == files(whole)
    draw(place, count=10)
    assert batches(place) == 23 and files(place) == files(whole)


def test_a_folder_of_other_rows_is_left_alone(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    draw(place, count=10)
    before = files(place)
    task = tasks.multiplying(tmp_path / "other")
    for manifest in (True, False):
        if not manifest:
            (place / MANIFEST).unlink()
            del before[MANIFEST]
        other = replace(ShardedRows(place, KEY, 4, 4), key={**KEY, "seed": 4})
        with pytest.raises(BadInputError, match="another network, seed or scorer"):
            other.draw(10, task, tasks.SMALL, engine=LocalEngine(1))
        assert files(place) == before


def test_many_rows_are_mapped_from_the_disk(tmp_path: Path) -> None:
    store = draw(tmp_path / "run")
    mapped = store.read("scores", 85, mapped=True)
    assert isinstance(mapped, np.memmap) and not mapped.flags.writeable
    assert np.array_equal(mapped, store.read("scores", 85))
    draw(tmp_path / "run")  # and the file is no shard


def test_a_folder_of_a_newer_version_is_a_sentence(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    draw(place, count=10)
    path = place / MANIFEST
    path.write_text(path.read_text().replace("latentfu-shards-1", "latentfu-shards-2"))
    before = files(place)
    with pytest.raises(BadInputError, match="newer version"):
        draw(place)
    assert files(place) == before


def test_rows_that_are_missing_are_a_sentence(whole: Path) -> None:
    store = ShardedRows(whole, KEY, 4, 4)
    for mapped in (False, True):
        with pytest.raises(StorageError, match="has 92 rows, not 95"):
            store.read("codes", 95, mapped=mapped)
    with pytest.raises(StorageError, match="is not there or has no codes: make it again"):
        store.read("codes", 200)
    assert not (whole / "codes.npy").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KB; only root can have one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk needs root")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_a_sentence_and_the_run_goes_on(
    whole: Path, tmp_path: Path, small_disk: Path
) -> None:
    store = ShardedRows(small_disk / "run", KEY, 4, 4)
    task = tasks.multiplying(tmp_path / "log")
    with pytest.raises(StorageError, match="No space left on device"):
        store.draw(90, task, tasks.SMALL, engine=LocalEngine(1), progress=silent)
    kept = files(store.folder)
    assert 0 < len(kept) < 6 and all(files(whole)[name] == kept[name] for name in kept)
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    before = tasks.count_batches(tmp_path / "log")
    store.draw(90, task, tasks.SMALL, engine=LocalEngine(1))
    assert files(store.folder) == files(whole)
    assert tasks.count_batches(tmp_path / "log") - before == 23 - 4 * len(kept)
