"""``latentfu bench``: every benchmark gives figures on the built-in generator."""

from __future__ import annotations

import pytest
from latentfu.bench import BENCHMARKS

from tests.support.program import Program


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_gives_figures(latentfu_program: Program, name: str) -> None:
    ran = latentfu_program("bench", name, "--json")
    assert ran.code == 0, ran.out
    assert ran.json["benchmark"] == name
    assert all(measure["value"] >= 0 for measure in ran.json["measures"])
    assert len({measure["name"] for measure in ran.json["measures"]}) >= 2
