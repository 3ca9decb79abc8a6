"""``latentfu bench``: every benchmark gives its figures, plug-ins' benchmarks at smallest sizes."""

from __future__ import annotations

import pytest
from latentfu.bench import BENCHMARKS

from tests.support.program import Program

PLUGINS = {
    "boundary": (
        ("--samples", "40", "--size", "4"),
        {"ours", 'SVC(kernel="linear")', "times faster", "cosine of the normals"},
    ),
    "hessian": (
        ("--quick",),
        {
            "power iteration, central differences",
            "Lanczos, exact products, to the same energy",
            "its energy over the power iteration's",
            "largest angle to the exact subspace, Lanczos",
            "largest angle to the exact subspace, power iteration",
        },
    ),
    "render": (
        ("--quick",),
        {
            "32 px: plain",
            "32 px: ours, float32",
            "32 px: float32 faster than plain",
            "32 px: float32 to plain",
            "slider at 32 px, all styles move, picture of 8 px",
            "resumed picture against one from scratch",
            "eight at 32 px: pictures a second",
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_gives_figures(latentfu_program: Program, name: str) -> None:
    ran = latentfu_program("bench", name, "--json")
    assert ran.code == 0, ran.out
    assert ran.json["benchmark"] == name
    assert all(measure["value"] >= 0 for measure in ran.json["measures"])
    assert len({measure["name"] for measure in ran.json["measures"]}) >= 2


@pytest.mark.parametrize(
    "name",
    ["boundary", "hessian", pytest.param("render", marks=pytest.mark.slow)],
)
def test_each_of_the_built_in_plug_ins_gives_its_table(
    latentfu_program: Program, name: str
) -> None:
    options, wanted = PLUGINS[name]
    ran = latentfu_program("bench", name, *options, "--json")
    assert ran.code == 0, ran.out
    measures = {measure["name"]: measure for measure in ran.json["measures"]}
    assert ran.json["benchmark"] == name and wanted <= set(measures)
    assert all({"name", "value", "unit", "runs"} == set(measure) for measure in measures.values())
    for name_of, least in {"32 px: float32 to plain": 60.0, "cosine of the normals": 0.9}.items():
        assert measures.get(name_of, {"value": least})["value"] >= least
    angle = measures.get("largest angle to the exact subspace, Lanczos", {"value": 0.0})
    assert angle["value"] < 1.0
