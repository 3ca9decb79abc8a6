"""Kept and imported deformations get names that are free, and never replace another network's."""

from __future__ import annotations

import tarfile
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu.cli.main import run
from latentfu.storage.deformations import (
    Deformation,
    deformations_in,
    read_deformation,
    write_deformation,
)
from latentfu_builtin.deformations.user_library import user_deformations_folder

LAYER = "synthesis.convs.8.weight"


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def portraits() -> latentfu.Generator:
    return latentfu.open_generator("portraits", "cpu")


def found_on(generator_id: str, path: Path, seed: int = 0) -> Path:
    shift = np.random.default_rng(seed).standard_normal((4, 4, 3, 3)).astype(np.float32)
    return write_deformation(path, Deformation(shift, LAYER, 8, "svd-8-0", generator_id))


def test_the_name_of_another_control_is_refused(
    portraits: latentfu.Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = found_on(portraits.id, tmp_path / "found.safetensors")
    for name in ("smile", "monocle"):  # a direction, and a deformation that came with it
        assert run(["deformations", "keep", str(file), "--name", name]) == 1
        said = capsys.readouterr().err.strip()
        assert said == f"There is a control {name!r} already: give another --name."
    assert not user_deformations_folder().exists()
    assert run(["deformations", "keep", str(file), "--name", "grin"]) == 0
    assert run(["deformations", "keep", str(file), "--name", "grin", "--plus", "wider"]) == 0
    assert latentfu.controls("portraits")["grin"].positive_means == "wider"  # one's own is replaced


def test_networks_can_have_a_name_each(tmp_path: Path) -> None:
    ids = ["a" * 64, "b" * 64]
    for seed, id in enumerate(ids):
        file = found_on(id, tmp_path / "found.safetensors", seed)
        for _ in range(2):
            assert run(["deformations", "keep", str(file), "--name", "wheels"]) == 0
    assert len(list(user_deformations_folder().iterdir())) == 2
    for seed, id in enumerate(ids):
        (control,) = deformations_in(user_deformations_folder(), id)
        assert control.name == "wheels"
        kept = read_deformation(Path(str(control.facts["file"])))
        wanted = read_deformation(found_on(id, tmp_path / "again.safetensors", seed))
        assert np.array_equal(kept.shift, wanted.shift)


def test_a_set_is_taken_in_though_its_names_are_taken(
    portraits: latentfu.Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = portraits.parameter(LAYER).shape
    for name in ("smile", "Smile", "wink"):
        torch.save({"layer_ix": 7, "shift": torch.randn(1, 1, *shape)}, tmp_path / f"{name}.pt")
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        for name in ("smile", "Smile", "wink"):
            tar.add(tmp_path / f"{name}.pt", f"ffhq/{name}.pt")
    for _ in range(2):  # again is no trouble, and makes no more of them
        assert run(["deformations", "import", str(tmp_path / "set.tar")]) == 0
        names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
        assert names == ["smile-2", "smile-3", "wink"]
    controls = latentfu.controls("portraits")
    assert controls["smile"].kind == "direction"
    assert all(controls[name].kind == "deformation" for name in names)
    assert run(["deformations", "import", str(tmp_path / "smile.pt")]) == 1
    assert capsys.readouterr().err.strip().endswith("give another --name.")
    assert sorted(latentfu.controls("portraits")) == sorted(controls)


def test_one_is_removed_by_name_and_those_of_other_networks_stay(
    portraits: latentfu.Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, id in enumerate((portraits.id, "b" * 64)):
        file = found_on(id, tmp_path / "found.safetensors", seed)
        assert run(["deformations", "keep", str(file), "--name", "wheels"]) == 0
    capsys.readouterr()
    assert run(["deformations", "remove", "wheels"]) == 1
    asked = capsys.readouterr().err
    assert "for each of" in asked and "portraits" in asked and "say which with --generator" in asked
    assert run(["deformations", "remove", "nobody"]) == 1
    assert "You have no deformation 'nobody' of your own; there are: wheels." in (
        capsys.readouterr().err
    )
    assert run(["deformations", "remove", "wheels", "--generator", "portraits", "--json"]) == 0
    capsys.readouterr()
    (left,) = user_deformations_folder().glob("*.safetensors")
    assert read_deformation(left).generator_id == "b" * 64
    assert "wheels" not in latentfu.controls("portraits")
