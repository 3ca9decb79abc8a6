"""``latentfu generators import``: from a file of another project to an edit with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from PIL import Image

CHECKPOINTS = Path(__file__).parent.parent / "reference" / "checkpoints"
FILE = CHECKPOINTS / "rosinality-pt" / "cm1" / "network.pt"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    with use_registry(Registry(all_sources())):
        yield tmp_path / "home"


def seen_now() -> Registry:
    """What a program that starts now finds installed."""
    return Registry(all_sources())


def test_imported_it_is_listed_and_edits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--name", "ffhq", "--domain", "faces", "--licence", "CC BY-NC-SA 4.0"]
    assert run(["generators", "import", str(FILE), *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "ffhq"
    with use_registry(seen_now()):
        assert run(["generators", "info", "ffhq", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["resolution"] == 64 and told["aligner"] == "faces"
        assert told["licence"] == "CC BY-NC-SA 4.0"
        picture = tmp_path / "picture.png"
        pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(picture)
        out = tmp_path / "code.safetensors"
        words = ["--generator", "ffhq", "--aligner", "center", "--quality", "draft"]
        assert run(["invert", str(picture), "-o", str(out), *words]) == 0
        assert out.is_file()


def test_import_export_import_gives_the_same_bytes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generators", "import", str(FILE), "--name", "one"]) == 0
    out = tmp_path / "one.safetensors"
    assert run(["generators", "export", "one", "-o", str(out)]) == 0
    assert run(["generators", "import", str(out), "--name", "two"]) == 0
    folder = home / "data" / "generators"
    assert (folder / "two.safetensors").read_bytes() == out.read_bytes()
    assert run(["generators", "remove", "two", "--yes"]) == 0
    assert [path.name for path in folder.iterdir()] == ["one.safetensors"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "nothing.pt"], "There is no file nothing.pt."),
        (["import", str(FILE), "--name", "portraits"], "There is a generator portraits already"),
        (["import", str(FILE), "--name", "../evil"], "cannot be used"),
        (["import", __file__, "--name", "text"], "neither a pickle nor a torch or numpy file"),
        (["remove", "nothing"], "there are: none"),
        (["export", "../../x", "-o", "x"], "No imported network"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generators", *words]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert not list(home.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("conv1.conv.weight"), "no network that is known"),
        (lambda s: s.pop("convs.0.activate.bias"), "lacks convs.0.activate.bias"),
        (lambda s: s.update({"convs.9.extra": torch.zeros(1)}), "has convs.9.extra"),
        (
            lambda s: s.update({"to_rgb1.bias": torch.zeros(1, 4, 1, 1)}),
            r"weights for 3 channels of color and a bias of shape \[4\]",
        ),
        (
            lambda s: s.update({"convs.2.conv.weight": torch.zeros(1, 9, 24, 3, 3)}),
            "expected",
        ),
        (
            lambda s: s.update({"convs.0.conv.blur.kernel": torch.ones(4, 4)}),
            "resamples with another filter",
        ),
        (
            lambda s: s.update({"input.input": torch.full((1, 24, 4, 4), float("nan"))}),
            "draws no numbers",
        ),
    ],
)
def test_what_is_not_understood_is_named(
    change: Callable[[dict[str, Any]], Any],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import re

    content = torch.load(FILE, weights_only=True)
    change(content["g_ema"])
    torch.save(content, tmp_path / "changed.pt")
    assert run(["generators", "import", str(tmp_path / "changed.pt")]) == 1
    assert re.search(said, capsys.readouterr().err)


def test_the_decoder_of_an_encoder_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(FILE, weights_only=True)
    state = {f"decoder.{name}": tensor for name, tensor in content["g_ema"].items()}
    state["encoder.input_layer.0.weight"] = torch.zeros(4, 3, 3, 3)
    average = content["latent_avg"].expand(10, -1)
    opts = {"encoder_type": "Encoder4Editing", "device": "cuda"}
    whole = {"state_dict": state, "latent_avg": average, "opts": opts}
    torch.save(whole, tmp_path / "e4e.pt")
    assert run(["generators", "import", str(tmp_path / "e4e.pt"), "--name", "inside"]) == 0
    assert run(["generators", "import", str(FILE), "--name", "alone"]) == 0
    from latentfu_builtin.checkpoints.import_checkpoint import path_of
    from safetensors.torch import load_file

    one, two = load_file(path_of("inside")), load_file(path_of("alone"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_without_a_mean_it_is_measured(tmp_path: Path) -> None:
    from latentfu_builtin.checkpoints.import_checkpoint import path_of
    from safetensors.torch import load_file

    content = torch.load(FILE, weights_only=True)
    mean = content.pop("latent_avg")
    torch.save(content, tmp_path / "bare.pt")
    assert run(["generators", "import", str(tmp_path / "bare.pt")]) == 0
    found = load_file(path_of("bare"))["mapping.w_avg"]
    spread = mean.abs().mean()
    assert found.isfinite().all() and (found - mean[0]).abs().mean() < spread


def test_files_of_old_torch_are_read(tmp_path: Path) -> None:
    content = torch.load(FILE, weights_only=True)
    torch.save(content, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert run(["generators", "import", str(tmp_path / "old.pt")]) == 0
