"""``latentfu generators info``: what a person wants to know of a network before using it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import pytest
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources

FILES = Path(__file__).parent.parent / "reference" / "checkpoints"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    with use_registry(Registry(all_sources())):
        yield


def told(name: str, capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["generators", "info", name, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_installed_for_it(capsys: Capture) -> None:
    found = told("portraits", capsys)
    assert "smile" in found["directions"] and found["deformations"] and found["encoders"]
    assert found["controls"] == [*found["directions"], *found["deformations"]]


def test_layers_and_weights_are_those_of_the_network(capsys: Capture) -> None:
    found = told("portraits", capsys)
    generator = latentfu.open_generator("portraits", "cpu")
    assert len(found["layers"]) == len(generator.layers) > 0
    for layer in found["layers"]:
        weight = generator.parameter(layer["weight"])
        assert weight.shape[0] == layer["channels"]
    weights = generator.weights()
    assert found["parameters"] == sum(tensor.numel() for tensor in weights.values())
    assert all(generator.parameter(name) is tensor for name, tensor in weights.items())
    assert found["render_bytes"] > found["weights_bytes"] == 4 * found["parameters"]


def test_an_imported_conditional_network(capsys: Capture) -> None:
    file = FILES / "nvlabs-ada-pkl" / "cond-c3" / "network.pkl"
    words = ["--name", "three", "--licence", "CC BY-NC 4.0, [see there]"]
    assert run(["generators", "import", str(file), *words]) == 0
    with use_registry(Registry(all_sources())):
        found = told("three", capsys)
        assert (found["labels"], found["spaces"], found["resolution"]) == (3, ["w", "w+"], 64)
        assert found["directions"] == found["deformations"] == found["encoders"] == []
        assert run(["generators", "info", "three"]) == 0
    shown = capsys.readouterr().out
    for text in ("[see there]", "none installed", "nvlabs-ada (sha256", "w+ [10, 32]", "64 px"):
        assert text in shown


def test_one_that_shows_nothing_of_itself(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "home" / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "flat.py").write_text(FLAT)
    with use_registry(Registry(all_sources())):
        found = told("flat", capsys)
        assert run(["generators", "info", "flat"]) == 0
    assert found["layers"] == [] and found["spaces"] == ["z"] and found["labels"] == 0
    assert found["weights_bytes"] is found["render_bytes"] is None
    assert "not shown by this network" in capsys.readouterr().out


FLAT = '''
import latentfu


class Flat(latentfu.Generator):
    """One color."""

    name, id, domain, resolution, spaces, z_dim = "flat", "0" * 64, "flat", 8, ("z",), 3

    @property
    def device(self):
        import torch

        return torch.device("cpu")

    def map(self, z, psi=1.0, cutoff=None, labels=None):
        return latentfu.Latent(z * psi, "z", self.id)

    def render(self, latent, noise="const", features=None):
        image = latent.codes[:, :, None, None].expand(-1, -1, 8, 8)
        return image if features is None else (image, {})

    def mean_latent(self):
        import torch

        return self.map(torch.zeros(1, 3))


@latentfu.hookimpl
def latentfu_generators():
    return [latentfu.GeneratorSpec("flat", "Flat", "flat", 8, "0" * 64, lambda device: Flat())]
'''
