"""The short form of ``latentfu bench scale``: real workers, a real server, few of everything."""

from __future__ import annotations

import sys

import pytest

from tests.support.program import Program


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_workers_draw_the_same_and_a_crowd_is_served(
    isolated_home: object, latentfu_program: Program
) -> None:
    words = ("--workers", "1,2", "--samples", "32", "--server-workers", "2", "--clients", "4")
    ran = latentfu_program("bench", "scale", *words, "--seconds", "3", "--json")
    assert ran.code == 0, ran.err
    found = {each["name"]: each["value"] for each in ran.json["measures"]}
    assert [found[f"{who}, samples that differ"] for who in (
        "1 worker", "2 workers", "one worker killed",
    )] == [0, 0, 0]  # fmt: skip
    assert found["one worker killed, workers"] == 1
    assert found["2 workers, brought back for a sample"] > 1000
    crowd = "4 clients, 2 workers"
    assert found[f"{crowd}, previews"] > 0 and found[f"{crowd}, served least, of the mean"] > 0
    assert found[f"{crowd}, failed"] == found[f"{crowd}, told to come again"] == 0
    assert found[f"{crowd}, preview p99"] >= found[f"{crowd}, preview p50"] > 0
    ran = latentfu_program("bench", "scale", "--workers", "1,two")
    assert ran.code == 2 and "'1,two' is not like 1,2,4." in ran.err
