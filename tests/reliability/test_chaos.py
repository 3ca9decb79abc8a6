"""The short form of ``latentfu bench chaos``: the same faults, an editor that starts at once."""

from __future__ import annotations

import sys

import pytest
from latentfu.bench.chaos import ChaosPlan, measure_chaos

from tests.support.serving import ROOT, STAND_IN, pixel_body

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
        jobs=32,
        clients=6,
        calm_s=6.0,
        every_s=2.0,
        layer=pixel_body(60, 40),
        requests=requests,
        seed=3,
        command=(sys.executable, "-c", CODE),
    )
    found = {each.name: each.value for each in measure_chaos(plan)}
    assert found["worker killed"] + found["server killed"] >= 2, found
    assert found["jobs lost, wrong or not ended"] == 0, found
    assert found["jobs done as in peace"] + found["jobs failed in a sentence"] == 32, found
    assert found["jobs done as in peace"] >= 20, found
    assert (found["jobs kept twice"], found["jobs missing in the queue"]) == (0, 0), found
    assert found["jobs in peace"] > 0 and found["of these not done"] == 0, found
    for name in ("server", "worker"):
        assert abs(found[f"memory of the {name}, change"]) <= 10.0, found
