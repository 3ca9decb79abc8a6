"""Of several workers the one does a job that has its network loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentfu.jobs.store import Job, JobStore, job_key

from tests.support.serving import Server, pixel_body, wait_until

Start = Callable[..., Server]


def put(store: JobStore, *names: str, owner: str = "") -> None:
    """Jobs whose network is their name without its number."""
    for name in names:
        body = {"generator": name.rstrip("0123456789") or None}
        store.put(Job(id=job_key(owner, name), kind="edit", body=body, created=0.0))


def take(store: JobStore, count: int, near: tuple[str, ...], elsewhere: Any = ()) -> list[str]:
    claimed = (store.claim("edit", near, elsewhere) for _ in range(count))
    return [job.public_id if job else "-" for job in claimed]


def test_a_network_that_is_loaded_comes_first(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    put(store, "cats1", "faces1", "cats2", "faces2", "1")
    assert take(store, 3, ("faces",)) == ["faces1", "faces2", "cats1"]
    assert take(store, 3, ("",)) == ["1", "cats2", "-"]
    store.close()


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    put(store, "cats1", *(f"faces{n}" for n in range(12)))
    assert take(store, 9, ("faces",)).index("cats1") == 8
    store.close()


def test_a_job_is_left_to_a_free_worker_that_has_its_network(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    put(store, "cats1", "dogs1")
    assert take(store, 1, ("faces",), {"cats"}) == ["-"]
    assert take(store, 2, ("faces",)) == ["cats1", "dogs1"]
    store.close()


def test_turns_of_users_come_before(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    put(store, "faces1", "faces2", owner="ana")
    put(store, "cats1", owner="ben")
    assert take(store, 3, ("faces",)) == ["faces1", "cats1", "faces2"]
    store.close()


def test_two_workers_keep_to_their_networks(start: Start) -> None:
    server = start(devices=("cpu", "cpu"))
    layer = server.put_layer(pixel_body())

    def put_job(network: str, steps: int = 2) -> str:
        edits = {"tell_process": 1, "steps": steps, "pause_ms": 50}
        return server.put_job(layer, generator=network, edits=edits)

    def process_of(job: str) -> int:
        return int(server.wait_for(job)["report"]["psnr"])

    wait_until(lambda: all(w["state"] == "ready" for w in server.get("/v1/health")[1]["workers"]))
    long = put_job("cats", steps=30)  # one is at it, so the other takes faces
    faces = process_of(put_job("faces"))
    cats = process_of(long)
    assert faces != cats
    for network, process in (("faces", faces), ("cats", cats)) * 4:
        assert process_of(put_job(network)) == process
