"""A process that runs, as the server does, sees a network that is imported or removed."""

from __future__ import annotations

from pathlib import Path

import latentfu
import pytest
from latentfu.cli.main import run
from latentfu.plugin_manager import get_registry

FILE = Path(__file__).parents[1] / "reference" / "checkpoints" / "rosinality-pt" / "cm1"


def test_an_imported_network_is_there_without_a_new_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    get_registry(fresh=True)  # as a process that starts in this home
    assert list(latentfu.generators()) == ["portraits"]
    assert run(["generators", "import", str(FILE / "network.pt"), "--name", "mine"]) == 0
    assert list(latentfu.generators()) == ["portraits", "mine"]
    assert run(["generators", "remove", "mine", "--yes"]) == 0
    assert list(latentfu.generators()) == ["portraits"]


def test_a_file_that_is_no_network_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    folder = tmp_path / "data" / "generators"
    folder.mkdir(parents=True)
    (folder / "broken.safetensors").write_bytes(b"nothing of the kind")
    (folder / "Odd Name.safetensors").write_bytes(b"")
    assert list(latentfu.generators()) == ["portraits"]
