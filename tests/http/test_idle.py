"""A server that nobody uses ends after the time that its owner set."""

from __future__ import annotations

import sys
import time

import pytest
from latentfu.storage.settings import IDLE_MINUTES, read_idle_minutes, write_idle_minutes

from tests.support.serving import pixel_body, wait_until


def test_it_ends_when_nobody_uses_it_and_looking_is_no_use(start) -> None:
    server = start()
    assert server.get("/v1/health")[1]["idle_stop_minutes"] == 0, "one started by hand stays"
    assert server.request("PUT", "/v1/idle-stop", {"minutes": 0.05}) == (200, {"minutes": 0.05})
    assert server.get("/v1/health")[1]["idle_stop_minutes"] == pytest.approx(0.05)
    deadline = time.monotonic() + 60
    while server.process.poll() is None and time.monotonic() < deadline:
        try:  # As GIMP's window does each second.
            server.get("/v1/health"), server.get("/v1/jobs")
        except OSError:
            break
        time.sleep(0.3)
    assert server.process.wait(10) == 0
    assert "not used for 3 s" in server.log and not server.address_file.exists()


def test_work_keeps_it(start) -> None:
    server = start()
    layer = server.put_layer(pixel_body())
    job = server.put_job(layer, edits={"steps": 100, "pause_ms": 100})
    server.request("PUT", "/v1/idle-stop", {"minutes": 0.02})
    began = time.monotonic()
    wait_until(lambda: server.get(f"/v1/jobs/{job}")[1]["state"] in ("running", "done"))
    assert server.process.wait(120) == 0
    assert time.monotonic() - began > 10, "the job takes ten seconds"


@pytest.mark.parametrize("minutes", [-1, 1e9, "soon", None])
def test_what_is_no_time_is_refused(server, minutes: object) -> None:
    assert server.request("PUT", "/v1/idle-stop", {"minutes": minutes})[0] == 400
    assert server.get("/v1/health")[1]["idle_stop_minutes"] == 0


def test_the_time_is_kept_and_damage_means_the_default(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    assert read_idle_minutes() == IDLE_MINUTES == 30
    write_idle_minutes(5)
    assert read_idle_minutes() == 5
    for damage in ("{", '{"minutes": -1}', '{"minutes": "x"}', '{"minutes": Infinity}'):
        (tmp_path / "config" / "idle-stop.json").write_text(damage)
        assert read_idle_minutes() == IDLE_MINUTES


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_the_workers_memory_is_told(server) -> None:
    assert 10 < server.get("/v1/health")[1]["worker"]["memory_mb"] < 10_000
