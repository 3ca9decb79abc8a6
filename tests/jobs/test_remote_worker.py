"""A server whose work another machine does: both real, over TLS, with a user's token."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import Server, pixel_body, wait_until
from tests.support.studio import Studio, Visitor

CATALOG = "tests.support.stand_in_catalog"
RICHER = "tests.support.richer_catalog"
LONG = {"steps": 100, "pause_ms": 50}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """The machine that works for others."""
    home = tmp_path / "there"
    home.mkdir()
    running = Studio(home, catalog=CATALOG)
    yield running
    running.stop()


@pytest.fixture
def guest(studio: Studio) -> Visitor:
    return studio.add("front")


@pytest.fixture
def front(tmp_path: Path, guest: Visitor) -> Iterator[Server]:
    """The server that people talk to."""
    home = tmp_path / "here"
    home.mkdir()
    running = Server(home, machines=[guest.known], catalog=RICHER)
    try:
        wait_until(lambda: [one["state"] for one in workers(running)] == ["ready", "ready"])
        yield running
    finally:
        running.stop()


def workers(server: Server) -> list[Any]:
    return list(server.get("/v1/health")[1]["workers"])


def jobs_there(guest: Visitor) -> list[Any]:
    return list(guest.client.jobs().jobs)


def occupy_local(front: Server) -> str:
    """A long job for the worker here: by a direction that the other machine does not have."""
    layer = front.put_layer(pixel_body(value=1))
    job = front.put_job(layer, edits={"own": 1, **LONG})
    front.wait_for(job, "running")
    return job


def test_both_machines_work_and_results_and_reports_come_back(
    front: Server, guest: Visitor
) -> None:
    assert workers(front)[1]["device"] == guest.known.address.url
    layer = front.put_layer(pixel_body(value=100))
    edits = {"tell_process": 1, "steps": 5, "pause_ms": 100}
    jobs = [front.put_job(layer, edits={"brightness": n, **edits}) for n in range(6)]
    done = [front.wait_for(job) for job in jobs]
    assert [job["state"] for job in done] == ["done"] * 6
    for number, job in enumerate(jobs):
        assert front.get(f"/v1/jobs/{job}/result") == (200, pixel_body(value=100 + number))
    assert len({job["report"]["psnr"] for job in done}) == 2  # two processes have worked
    there = jobs_there(guest)
    assert 1 <= len(there) <= 5 and all(job.state == "done" for job in there)


def test_what_the_other_machine_lacks_is_done_here(front: Server, guest: Visitor) -> None:
    busy = occupy_local(front)
    layer = front.put_layer(pixel_body(value=50))
    own = front.put_job(layer, edits={"own": 1})
    common = front.put_job(layer, edits={"brightness": 3})
    assert front.wait_for(common)["state"] == "done"
    assert front.job(own)["state"] == "queued"  # it waits for the worker here
    front.request("DELETE", f"/v1/jobs/{busy}")
    assert front.wait_for(own)["state"] == "done"
    assert len(jobs_there(guest)) == 1


def test_progress_and_cancel_reach_the_other_machine(front: Server, guest: Visitor) -> None:
    occupy_local(front)
    layer = front.put_layer(pixel_body(value=60))
    job = front.put_job(layer, edits={"brightness": 1, **LONG})
    wait_until(lambda: front.job(job)["fraction"] > 0.02)
    assert "step" in front.job(job)["message"]
    front.request("DELETE", f"/v1/jobs/{job}")
    assert front.job(job)["state"] == "cancelled"
    wait_until(lambda: [each.state for each in jobs_there(guest)] == ["cancelled"])


def test_a_machine_that_goes_loses_no_job_and_is_found_again(
    front: Server, studio: Studio, guest: Visitor
) -> None:
    busy = occupy_local(front)
    layer = front.put_layer(pixel_body(value=70))
    job = front.put_job(layer, edits={"brightness": 2, "steps": 20, "pause_ms": 50})
    front.wait_for(job, "running")
    studio.kill()
    front.request("DELETE", f"/v1/jobs/{busy}")
    wait_until(lambda: front.job(job)["state"] == "done", patience_s=90.0)  # by the worker here
    assert front.get(f"/v1/jobs/{job}/result") == (200, pixel_body(value=72))
    assert front.job(job)["attempts"] == 1
    told = workers(front)[1]
    assert told["state"] == "restarting" and "does not answer" in told["message"]


def test_a_preview_is_made_where_the_layer_was_inverted(front: Server, guest: Visitor) -> None:
    occupy_local(front)
    layer = front.put_layer(pixel_body(value=80))
    assert front.wait_for(front.put_job(layer, kind="invert"))["state"] == "done"
    assert [job.kind for job in jobs_there(guest)] == ["invert"]
    body = {"layer": layer, "side": 32, "edits": {"brightness": 4}}
    assert front.put(f"/v1/previews/{uuid.uuid4()}", body) == (200, pixel_body(value=84))
