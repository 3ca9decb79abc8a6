"""The steps of ``latentfu build wplusplus``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentfu import BuildStep, Progress, hookimpl

from latentfu_builtin.lazy import import_name

STUDY = "wplusplus"
_ROOM = "latentfu_builtin.wplusplus_study"
_STEPS = (
    ("networks", 10, "Two networks of one budget", "study_networks:train_study_networks"),
    ("generation", 20, "How like renders they are", "generation_table:measure_generation"),
    ("inversion", 30, "How well each space shows pictures", "inversion_table:measure_inversion"),
    ("editing", 40, "How far edits carry in each space", "editing_table:measure_editing"),
    ("transfer", 50, "Editing by a reference", "transfer_table:measure_transfer"),
    ("tables", 90, "The tables", "study_tables:write_tables"),
)


@hookimpl
def latentfu_build_steps() -> list[BuildStep]:
    """The study from nothing to its tables; each step goes on from what is there."""
    return [
        BuildStep(f"{STUDY}-{name}", title, STUDY, order, _run_later(f"{_ROOM}.{target}"))
        for name, order, title, target in _STEPS
    ]


def _run_later(target: str) -> Callable[[Path | None, Progress], Any]:
    """A step in a folder, or in the data folder."""

    def run(out: Path | None, progress: Progress) -> Any:
        plan = import_name(f"{_ROOM}.study_plan:choose_plan")(out)
        return import_name(target)(plan, progress)

    return run
