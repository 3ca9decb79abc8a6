"""``latentfu generators render``: pictures of an imported network, without a line of Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from PIL import Image

NETWORK = Path(__file__).parent.parent / "reference/checkpoints/nvlabs-ada-pkl/cond-c3/network.pkl"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A network with three labels, imported."""
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    assert run(["generators", "import", str(NETWORK), "--name", "three"]) == 0
    with use_registry(Registry(all_sources())):
        yield


def drawn(folder: Path, *words: str) -> dict[str, Any]:
    """The pictures by their file's name."""
    assert run(["generators", "render", "three", "-o", str(folder), *words]) == 0
    return {path.name: np.asarray(Image.open(path)) for path in sorted(folder.iterdir())}


def test_each_picture_is_that_of_its_seed(tmp_path: Path, capsys: Capture) -> None:
    pictures = drawn(tmp_path / "a", "--count", "3", "--seed", "7", "--psi", "0.5", "--json")
    assert list(pictures) == ["000007.png", "000008.png", "000009.png"]
    said = json.loads(capsys.readouterr().out)
    assert [Path(file).name for file in said["files"]] == list(pictures)
    generator = latentfu.open_generator("three", "cpu")
    with torch.no_grad():
        wanted = generator.render(latentfu.random_latents(generator, 1, 8, psi=0.5))[0]
    levels = ((wanted.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(pictures["000008.png"], levels)
    assert not np.array_equal(pictures["000007.png"], pictures["000009.png"])
    alone = drawn(tmp_path / "b", "--seed", "9", "--psi", "0.5")
    np.testing.assert_array_equal(alone["000009.png"], pictures["000009.png"])


def test_truncation_labels_and_noise_act(tmp_path: Path) -> None:
    plain = drawn(tmp_path / "plain")["000000.png"]
    for name, words in {
        "psi": ["--psi", "1"],
        "cutoff": ["--cutoff", "2"],
        "label": ["--label", "2"],
        "none": ["--noise", "none"],
        "random": ["--noise", "random"],
    }.items():
        other = drawn(tmp_path / name, *words)["000000.png"]
        assert not np.array_equal(other, plain), name
        again = drawn(tmp_path / name, *words)["000000.png"]
        np.testing.assert_array_equal(again, other)
    first = drawn(tmp_path / "first", "--label", "0")["000000.png"]
    np.testing.assert_array_equal(first, plain)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["three", "--label", "3"], 1, "has 3 labels: give 0 to 2."),
        (["portraits", "--label", "0"], 1, "has no labels."),
        (["nobody"], 1, "There is no generator 'nobody'"),
        (["three", "--count", "0"], 2, "--count"),
        (["three", "--noise", "some"], 2, "--noise"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: Capture
) -> None:
    capsys.readouterr()
    folder = tmp_path / "out"
    assert run(["generators", "render", *words, "-o", str(folder)]) == code
    heard = capsys.readouterr().err.strip()
    assert said in heard and len(heard.splitlines()) == 1
    assert not folder.exists()


def test_where_the_pictures_can_not_go(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    assert run(["generators", "render", "three", "-o", str(file)]) == 1
    assert "is a file: name a folder" in capsys.readouterr().err
    assert run(["generators", "render", "three", "-o", str(tmp_path / "no" / "where")]) == 1
    assert "make it first" in capsys.readouterr().err
    assert file.read_text() == "kept" and not (tmp_path / "no").exists()
