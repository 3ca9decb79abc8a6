"""``latentfu evaluate GENERATOR``: any generator against a folder or renders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from latentfu import Generator, Latent, open_generator, random_latents, silent
from latentfu.cli.main import run
from latentfu.testing.tiny import LayeredGenerator, TinyGenerator
from latentfu_builtin.evaluation.evaluate_generator import (
    EvaluationMethod,
    GeneratorFigures,
    evaluate_generator,
)
from latentfu_builtin.evaluation.references import FolderReferences, RendererReferences
from PIL import Image, ImageFilter

COUNT = 64


@pytest.fixture(scope="module")
def own_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures that the built-in network drew, below another folder."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    generator = open_generator("portraits", "cpu")
    for start in range(0, COUNT, 16):
        images = generator.render(random_latents(generator, 16, 5000 + start)).clamp(-1, 1)
        for place, image in enumerate(images):
            pixels = ((image.permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
            Image.fromarray(pixels).save(folder / "more" / f"{start + place}.png")
    return folder


Evaluate = Callable[..., dict[str, Any]]


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """The command with --json; its figures."""

    def do(*words: str) -> dict[str, Any]:
        assert run(["evaluate", *words, "--samples", str(COUNT), "--json"]) == 0
        figures: dict[str, Any] = json.loads(capsys.readouterr().out)
        return figures

    return do


def test_a_narrow_generator_is_told_from_one_like_its_references(
    own_pictures: Path, evaluate: Evaluate, tmp_path: Path
) -> None:
    whole = evaluate("generator", "portraits", "--against", str(own_pictures))
    assert whole["samples"] == whole["references"] == COUNT
    assert min(whole["overlap"].values()) > 0.8
    assert 0.8 < whole["sharpness"] < 1.25
    file = tmp_path / "figures.json"
    narrow = evaluate(
        "generator", "portraits", "--against", str(own_pictures), "--psi", "0.2", "-o", str(file)
    )
    assert narrow["overlap"]["recall"] < 0.3 < whole["overlap"]["recall"]
    assert narrow["frechet"] > 2 * whole["frechet"]
    assert json.loads(file.read_text()) == narrow


def test_a_word_that_is_no_command_is_a_generator(
    own_pictures: Path, evaluate: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(open_generator_file())
    assert evaluate(file, "--against", str(own_pictures))["generator"]
    assert run(["evaluate", "nobody", "--against", str(own_pictures)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") <= 2 and "no generator 'nobody'" in said
    assert run(["evaluate", "portraits", "--help"]) == 0
    assert "fresh renders" in capsys.readouterr().out


def open_generator_file() -> Path:
    """The weights of the built-in network, as somebody's own file."""
    from latentfu_builtin.portraits.shipped import GENERATOR

    return Path(GENERATOR)


@pytest.mark.parametrize(
    ("against", "said"),
    [("few", "with fewer than 32 a comparison says nothing"), ("nowhere", "neither a folder nor")],
)
def test_what_cannot_be_compared_with_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], against: str, said: str
) -> None:
    (tmp_path / "few").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "few" / "one.png")
    place = str(tmp_path / "few") if against == "few" else "nowhere"
    assert run(["evaluate", "generator", "portraits", "--against", place]) == 1
    assert said in capsys.readouterr().err


def test_a_damaged_picture_is_named(
    own_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (own_pictures / "more").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "3.png").write_bytes(b"no picture")
    assert run(["evaluate", "generator", "portraits", "--against", str(tmp_path)]) == 1
    assert "3.png cannot be read" in capsys.readouterr().err


class InputGenerator(TinyGenerator):
    """One that takes z itself, as networks without a mapping do."""

    spaces = ("z",)

    def map(self, z: torch.Tensor, psi: float = 1.0, *more: Any) -> Latent:
        return Latent(z, "z", self.id)

    def render(self, latent: Latent, noise: Any = "const", features: Any = None) -> Any:
        return super().render(super().map(latent.codes))


def look_small(images: torch.Tensor) -> torch.Tensor:
    """[N, 3, R, R] -> [N, 48]: shrunk to 4 x 4."""
    return torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)


def figures_of(generator: Generator, references: FolderReferences) -> GeneratorFigures:
    method = EvaluationMethod(
        look=look_small,
        features="small",
        distance=lambda a, b: (look_small(a) - look_small(b)).square().mean(dim=1),
        samples=48,
        seed=3,
    )
    return evaluate_generator(generator, references, method, silent)


@pytest.mark.parametrize("kind", [TinyGenerator, LayeredGenerator, InputGenerator])
def test_networks_of_every_space_are_measured(kind: type[Generator], own_pictures: Path) -> None:
    generator = kind()
    references = FolderReferences(own_pictures, generator.resolution, 40, seed=0)
    found = figures_of(generator, references)
    assert found.references == 40 and found.frechet_floor is None  # halves of 20 say nothing
    assert found.path_length > 0 and np.isfinite(found.frechet)
    assert figures_of(kind(), references) == found  # the same seeds, the same figures


def test_soft_references_make_a_generator_sharp(own_pictures: Path, tmp_path: Path) -> None:
    generator = open_generator("portraits", "cpu")
    for path in (own_pictures / "more").iterdir():
        with Image.open(path) as picture:
            picture.filter(ImageFilter.GaussianBlur(2)).save(tmp_path / path.name)
    sharp, soft = (
        figures_of(generator, FolderReferences(folder, 128, COUNT, seed=0)).sharpness
        for folder in (own_pictures, tmp_path)
    )
    assert soft > 2 * sharp


def test_renders_are_the_same_for_the_same_seed() -> None:
    one, again, other = (RendererReferences("portraits", 32, 40, seed) for seed in (1, 1, 2))
    assert one.draw(0, 2).shape == (2, 3, 32, 32)
    assert torch.equal(one.draw(0, 2), again.draw(0, 2))
    assert not torch.equal(one.draw(0, 2), other.draw(0, 2))
