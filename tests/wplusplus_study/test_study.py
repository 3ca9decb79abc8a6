"""The study of W++ from nothing to its tables, in the smallest sizes there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from latentfu import BadInputError
from latentfu.cli.main import run
from latentfu.core.progress import silent
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.wplusplus_study.editing_table import measure_editing
from latentfu_builtin.wplusplus_study.generation_table import measure_generation
from latentfu_builtin.wplusplus_study.inversion_table import measure_inversion
from latentfu_builtin.wplusplus_study.study_networks import (
    open_study_network,
    train_study_networks,
)
from latentfu_builtin.wplusplus_study.study_plan import MAPPINGS, StudyPlan, choose_plan
from latentfu_builtin.wplusplus_study.study_tables import write_tables
from latentfu_builtin.wplusplus_study.transfer_table import measure_transfer
from PIL import Image

SMALL = {
    "resolution": 16, "paired_images": 32, "pairs": 64, "images": 32,
    "samples": 32, "encoder_images": 64, "inverted": 2, "projector_steps": 3, "scored": 200,
    "edited": 1, "frames": 5, "mapping_images": 32, "pairs_edited": 2,
}  # fmt: skip


@pytest.fixture
def plan(isolated_home: Path, tmp_path: Path) -> StudyPlan:
    return choose_plan(tmp_path / "study", **SMALL)


def test_all_steps_give_the_tables(plan: StudyPlan) -> None:
    with use_registry(Registry(all_sources())):
        train_study_networks(plan, silent)
        spaces = [open_study_network(plan, mapping).spaces[-1] for mapping in MAPPINGS]
        assert spaces == ["w+", "w++"]
        trained = [plan.network_file(mapping).stat().st_mtime_ns for mapping in MAPPINGS]
        train_study_networks(plan, silent)  # goes on from what is there
        assert [plan.network_file(m).stat().st_mtime_ns for m in MAPPINGS] == trained
        measure_generation(plan, silent)
        measure_inversion(plan, silent)
        measure_editing(plan, silent)
        measure_transfer(plan, silent)
    write_tables(plan, silent)
    figures = plan.read_figures()
    assert set(figures) == {"generation", "inversion", "editing", "transfer"}
    assert set(figures["inversion"]["encoder"]) == {"w", "w+", "w++"}
    for curves in figures["editing"]["w++"].values():
        assert curves["distances"] == [-30, -15, 0, 15, 30]
        assert curves["attribute"][2] == pytest.approx(0, abs=1e-3)
        assert curves["others"][4] > 0
    strip = np.asarray(Image.open(plan.folder / "age-wpp.png"))
    assert strip.shape == (16, 80, 3)
    for name, least in (("frames", 9 * 16), ("curves", 600)):
        with Image.open(plan.folder / f"{name}.png") as drawn:
            assert drawn.height >= least
    tables = (plan.folder / "tables.md").read_text()
    for row in (
        "| plain mapping |",
        "| paper, FFHQ: W++ | 4.67 |",
        "| projector, mse |",
        "| w++ | smile |",
        "| w++ | mapping |",
    ):
        assert row in tables


def test_without_figures_there_are_no_tables(plan: StudyPlan) -> None:
    with pytest.raises(BadInputError, match="Nothing was measured"):
        write_tables(plan, silent)


def test_the_command_lists_its_steps(
    isolated_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with use_registry(Registry(all_sources())):
        assert run(["build", "wplusplus", "--list", "--json"]) == 0
    out = capsys.readouterr().out
    assert [
        out.index(step) for step in ("networks", "generation", "inversion", "editing")
    ] == sorted(out.index(step) for step in ("networks", "generation", "inversion", "editing"))
