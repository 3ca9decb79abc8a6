from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from latentfu.setup import doctor
from latentfu.setup.gimp_checks import Check

from tests.support.scratch_machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def faults() -> Callable[[], dict[str, Check]]:
    """What the doctor finds wrong, by name."""
    return lambda: {check.name: check for check in doctor.examine_gimp() if check.state == "wrong"}
