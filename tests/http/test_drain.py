"""A server that drains: nothing new, nothing lost, and an end; the next one goes on."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest

from tests.support.program import Program
from tests.support.serving import Server, pixel_body, wait_until

Start = Callable[..., Server]
SLOW = {"steps": 10, "pause_ms": 100}


def drain(server: Server, **how: str) -> dict[str, object]:
    status, answer = server.request("POST", "/v1/drain", how)
    assert status == 200, answer
    return dict(answer)


def has_ended(server: Server) -> bool:
    return server.process.poll() is not None


def test_what_waits_is_finished_and_fetched_and_nothing_new_is_taken(start: Start) -> None:
    server = start()
    layer = server.put_layer(pixel_body(value=100))
    jobs = [server.put_job(layer, edits={"brightness": 1, **SLOW}) for _ in range(2)]
    assert drain(server) == {"status": "draining", "left": 2}
    assert server.get("/v1/health")[1]["draining"]
    body = {"kind": "edit", "layer": layer, "edits": {"brightness": 2}}
    status, answer = server.put(f"/v1/jobs/{uuid.uuid4()}", body)
    assert (status, answer["error"]["code"]) == (503, "draining")
    assert "takes no new work" in answer["error"]["message"]
    body["edits"] = {"brightness": 1, **SLOW}
    assert server.put(f"/v1/jobs/{jobs[0]}", body)[0] == 200  # a request that is repeated
    assert all(server.wait_for(job)["state"] == "done" for job in jobs)
    assert all(server.get(f"/v1/jobs/{job}/result")[0] == 200 for job in jobs)
    wait_until(lambda: has_ended(server))
    assert server.process.returncode == 0


def test_what_waits_can_be_left_to_the_next_server(start: Start) -> None:
    server = start()
    layer = server.put_layer(pixel_body(value=100))
    first, second = (server.put_job(layer, edits={"brightness": n, **SLOW}) for n in (1, 2))
    server.wait_for(first, "running")
    assert drain(server, waiting="keep")["left"] == 1
    wait_until(lambda: has_ended(server))
    server.start()
    assert server.job(first)["state"] == "done"  # by the server that has ended
    assert server.job(first)["attempts"] == 1
    assert server.wait_for(second)["state"] == "done"
    assert server.get(f"/v1/jobs/{second}/result") == (200, pixel_body(value=102))


def test_the_command_waits_for_the_end(
    start: Start, latentfu_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    job = server.put_job(server.put_layer(pixel_body()), edits=SLOW)
    began = time.monotonic()
    ran = latentfu_program("drain", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["drained"] and ran.json["pid"] == server.process.pid
    assert time.monotonic() - began > 1.0
    wait_until(lambda: has_ended(server))
    server.start()
    assert server.job(job)["state"] == "done"
    server.stop()
    ran = latentfu_program("drain")
    assert ran.code == 1 and "No server runs" in ran.err


def test_wrong_words_drain_nothing(start: Start) -> None:
    server = start()
    assert server.request("POST", "/v1/drain", {"waiting": "drop"})[0] == 400
    assert server.get("/v1/health")[1]["draining"] is False
