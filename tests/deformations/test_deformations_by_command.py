"""Deformations as people use them: in sweeps, with directions, on tuned inversions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import numpy.typing as npt
import pytest
import torch
from latentfu import random_latents
from latentfu.cli.main import run
from PIL import Image

Pixels = npt.NDArray[np.uint8]
CHOICE = ["--generator", "portraits", "--aligner", "center", "--local"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(home))


def drawn(seed: int) -> Pixels:
    generator = latentfu.open_generator("portraits", "cpu")
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed, psi=0.7))[0]
    return image.add(1).mul(127.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "person.png"
    Image.fromarray(drawn(3)).save(path)
    return path


def opened(path: Path) -> npt.NDArray[np.int64]:
    return np.asarray(Image.open(path).convert("RGB")).astype(np.int64)


def test_a_sweep_takes_deformations_and_directions_together(picture: Path, tmp_path: Path) -> None:
    frames = {}
    for name, sets in (
        ("both", ["--set", "monocle=0..1", "--set", "cap=0..1", "--set", "smile=0..1"]),
        ("bends", ["--set", "monocle=0..1", "--set", "cap=0..1"]),
        ("one", ["--set", "monocle=0..1"]),
    ):
        words = ["sweep", str(picture), "-o", str(tmp_path / name), *sets, "--frames", "3"]
        assert run([*words, "--inverter", "encoder", *CHOICE]) == 0
        frames[name] = [opened(path) for path in sorted((tmp_path / name).glob("*.png"))]
        assert len(frames[name]) == 3
        assert np.array_equal(frames[name][0], opened(picture))  # strength 0 changes nothing
        half, whole = (np.abs(frame - frames[name][0]).mean() for frame in frames[name][1:])
        assert 0 < half < whole
    for one, other in (("both", "bends"), ("bends", "one")):
        assert np.abs(frames[one][2] - frames[other][2]).max() > 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "monocle=1"], "monocle is not a direction: give it a strength, not a target."),
        (["--set", "monocle=1", "--only", "monocle=0-3"], "it cannot be kept to layers."),
    ],
)
def test_what_only_directions_can_do_is_one_sentence(
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    out = tmp_path / "out.png"
    assert run(["edit", str(picture), "-o", str(out), *words, "--inverter", "encoder", *CHOICE])
    assert capsys.readouterr().err.strip().endswith(sentence)
    assert not out.exists()


def test_on_a_tuned_network_the_tuning_stays(picture: Path) -> None:
    pixels = drawn(3)
    pixels[20:60, 20:60] = (200, 30, 30)  # what no code of this network draws
    generator = latentfu.open_generator("portraits", "cpu")
    tuned = latentfu.invert(
        pixels,
        generator="portraits",
        aligner="center",
        inverter="pivotal",
        options={"pivot": "encoder", "steps": 3, "perceptual": 0.0, "locality": 0.0},
    ).latent
    assert tuned.bends
    monocle = latentfu.controls("portraits")["monocle"].load()
    smile = latentfu.controls("portraits")["smile"].load()
    with torch.no_grad():
        still = generator.render(monocle.apply(tuned, 0.0, generator))
        assert torch.equal(still, generator.render(tuned))
        moved = smile.apply(monocle.apply(tuned, 1.0, generator), 1.0, generator)
        assert moved.bends[: len(tuned.bends)] == tuned.bends
        picture_of_both = generator.render(moved)
        for other in (
            tuned,
            replace(moved, bends=tuned.bends),
            replace(moved, bends=moved.bends[len(tuned.bends) :]),
        ):
            assert (picture_of_both - generator.render(other)).abs().max() > 0.1
