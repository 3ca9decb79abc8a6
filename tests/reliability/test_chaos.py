"""The short form of ``latentfu bench chaos``: the same faults, an editor that starts at once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from latentfu.bench.chaos import FAULTS, ChaosPlan, measure_chaos
from latentfu.bench.shaky_home import make_shaky_home
from latentfu.jobs.store import Job, JobStore

from tests.support.serving import ROOT, STAND_IN, Server, pixel_body

CODE = (
    "from latentfu.http.serve import ServerSettings, serve\n"
    f"serve(ServerSettings(port=0, devices=('cpu',), worker_arguments=('--editing', {STAND_IN!r}, "
    f"'--catalog', {STAND_IN!r})))"
)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")
def test_nothing_is_lost_wrong_or_done_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    requests = [
        {"kind": "edit", "edits": {"brightness": float(step), "steps": 5, "pause_ms": 60}}
        for step in range(4)
    ]
    plan = ChaosPlan(
        jobs=60,
        clients=6,
        crowd=40,
        crowd_s=10.0,
        every_s=1.0,
        most_s=150.0,
        layer=pixel_body(60, 40),
        requests=requests,
        seed=3,
        command=(sys.executable, "-c", CODE),
    )
    found = {each.name: each.value for each in measure_chaos(plan)}
    can_mount = found["disk filled and freed"] + found["home unmounted and back"] > 0
    for fault, what in FAULTS.items():
        assert found[what] >= 1 or (fault in ("disk", "home") and not can_mount), found
    assert found["jobs failed otherwise"] == 0, found
    assert found["jobs with another result than in peace"] == 0, found
    assert found["jobs lost or not ended"] == 0, found
    assert found["jobs not begun in the time"] == 0, found
    assert found["jobs done as in peace"] + found["jobs failed in a sentence"] == 60, found
    assert found["jobs done as in peace"] >= 45, found
    assert (found["jobs kept twice"], found["jobs missing in the queue"]) == (0, 0), found
    assert found["jobs in peace"] > 0 and found["of these not done"] == 0, found
    for name in ("server", "worker"):
        assert found[f"memory of the {name}, change"] <= 10.0, found


def test_the_clock_of_what_runs_there_can_be_set() -> None:
    with make_shaky_home() as home:
        home.set_clock(-86_400)
        told = subprocess.run(
            [sys.executable, "-P", "-c", "import time; print(time.time(), time.monotonic())"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split()
        assert abs(float(told[0]) - (time.time() - 86_400)) < 60
        assert abs(float(told[1]) - time.monotonic()) < 60


needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting needs root"
)


@needs_mounts
def test_work_waits_for_a_home_that_is_away() -> None:
    """Nothing fails, and nothing is left where the home will be again."""
    with make_shaky_home() as home:
        if not home.is_mounted:
            pytest.skip("this machine does not let root mount")
        server = Server(home.path)
        try:
            layer = server.put_layer(pixel_body(value=100))
            port, token = server.port, server.token
            slow = {"brightness": 1, "steps": 9, "pause_ms": 100}
            jobs = [server.put_job(layer, edits=slow) for _ in range(4)]
            left: list[Path] = []

            def look() -> None:
                time.sleep(2.8)
                left.extend(home.path.parent.rglob("*"))
                body = pixel_body(value=7)
                name = hashlib.sha256(body).hexdigest()
                asked = Request(
                    f"http://127.0.0.1:{port}/v1/layers/{name}",
                    body,
                    {
                        "Authorization": f"Bearer {token}",
                        "Content-Type": "application/octet-stream",
                    },
                    method="PUT",
                )
                with pytest.raises(HTTPError) as refused:
                    urlopen(asked)
                answers.append(json.loads(refused.value.read())["error"]["code"])

            answers: list[str] = []
            looking = threading.Thread(target=look)
            looking.start()
            assert home.leave(4.0)
            looking.join()
            for job in jobs:
                assert server.wait_for(job)["state"] == "done"
                assert server.get(f"/v1/jobs/{job}/result")[1][-1] == 101
            assert (left, answers) == ([], ["storage"])
            assert "work waits until its disk is back" in server.log
        finally:
            server.stop()


def test_a_clock_that_is_wrong_for_a_while_loses_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, now = JobStore(tmp_path / "jobs.sqlite"), time.time()
    clock, since_start = [now], [0.0]
    monkeypatch.setattr("latentfu.jobs.store.time.time", lambda: clock[0])
    monkeypatch.setattr("latentfu.jobs.store.time.monotonic", lambda: since_start[0])

    def finish(name: str) -> None:
        store.put(Job(name, "edit", {}, clock[0]))
        store.end(name, "done")

    finish("first")
    clock[0] = now + 400 * 86_400
    finish("wrong")
    for since_start[0] in (0.0, 600.0):
        assert store.prune(7 * 86_400.0, 500) == []
    clock[0] = now
    assert store.prune(7 * 86_400.0, 500) == []
    finish("newest")
    assert store.prune(7 * 86_400.0, 2) == ["first"]  # not the newest, though its time is lower
    clock[0] = now + 8 * 86_400
    for since_start[0] in (1000.0, 1600.0):
        assert store.prune(7 * 86_400.0, 2) == []
    since_start[0] = 2200.0
    assert store.prune(7 * 86_400.0, 2) == ["newest"]
    store.close()
