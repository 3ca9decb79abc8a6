"""A generator is found by its tensors wherever they lie; else it is said what is there."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import Latent, OpaqueObject, read_foreign
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.checkpoints.find_tensors import list_tensors
from latentfu_builtin.checkpoints.import_checkpoint import path_of
from latentfu_builtin.checkpoints.state_dict import find_torch_generator

from tests.support.foreign_files import save_module

REFERENCE = Path(__file__).parent.parent / "reference"
ROSINALITY = REFERENCE / "checkpoints" / "rosinality-pt" / "cm1"
ADA = REFERENCE / "checkpoints" / "nvlabs-ada-pkl" / "cond-c3"
SG3 = REFERENCE / "stylegan3" / "stylegan3-t"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    with use_registry(Registry(all_sources())):
        yield tmp_path / "home"


def rosinality() -> dict[str, torch.Tensor]:
    (file,) = ROSINALITY.glob("*.pt")
    state = read_foreign(file).member("g_ema")
    return {name: torch.from_numpy(array) for name, array in state.items()}  # type: ignore[union-attr]


def average() -> torch.Tensor:
    (file,) = ROSINALITY.glob("*.pt")
    return torch.from_numpy(read_foreign(file).member("latent_avg"))


def module_of(place: Path) -> OpaqueObject:
    network = find_torch_generator(read_foreign(place / "network.pkl"))
    assert network is not None
    return network


def ada() -> dict[str, torch.Tensor]:
    return {k: torch.from_numpy(np.array(v)) for k, v in list_tensors(module_of(ADA))}


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def noise(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.randn(tensor.shape) for name, tensor in state.items()}


Make = Callable[[], Any]
PLACES: dict[str, tuple[Path, Make]] = {
    "g alone": (ROSINALITY, lambda: {"g": rosinality(), "latent_avg": average()}),
    "generator": (ROSINALITY, lambda: {"generator": rosinality(), "mean_latent": average()}),
    "params_ema beside params": (
        ROSINALITY,
        lambda: {"params": noise(rosinality()), "params_ema": rosinality(), "w_avg": average()},
    ),
    "by itself": (ROSINALITY, lambda: collections.OrderedDict(rosinality(), latent_avg=average())),
    "module.": (
        ROSINALITY,
        lambda: {"g_ema": prefixed(rosinality(), "module."), "latent_avg": average()},
    ),
    "lightning": (
        ROSINALITY,
        lambda: {
            "epoch": 3,
            "state_dict": {
                **prefixed(noise(rosinality()), "generator."),
                **prefixed(rosinality(), "generator_ema."),
                "discriminator.final.weight": torch.ones(3),
            },
            "latent_avg": average(),
            "hyper_parameters": {"out": Path("somewhere")},
        },
    ),
    "module.decoder.": (
        ROSINALITY,
        lambda: {
            "state_dict": prefixed(rosinality(), "module.decoder."),
            "latent_avg": average().repeat(10, 1),
        },
    ),
    "ADA's state dict": (ADA, lambda: {"G_ema": ada()}),
    "ADA's by itself": (ADA, ada),
    "ADA's in lists": (ADA, lambda: [{"iteration": 1}, {"ema": ada()}]),
}


@pytest.mark.parametrize("name", PLACES)
def test_it_draws_its_pictures_wherever_it_lies(name: str, tmp_path: Path) -> None:
    place, make = PLACES[name]
    torch.save(make(), tmp_path / "net.pt")
    assert run(["generators", "import", str(tmp_path / "net.pt"), "--name", "me"]) == 0
    _check_pictures("me", place)


def _check_pictures(name: str, place: Path) -> None:
    generator = latentfu.open_generator(path_of(name))
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        codes, picture = (torch.from_numpy(arrays[key]) for key in ("wplus", "image_wplus"))
    with torch.no_grad():
        drawn = generator.render(Latent(codes, "w+", generator.id))
    assert float((drawn - picture).abs().max()) < 2e-4


@pytest.mark.parametrize("place", [ADA, SG3])
def test_a_pickled_generator_is_found_below_any_key(place: Path, tmp_path: Path) -> None:
    save_module(module_of(place), tmp_path / "whole.pt")
    whole = read_foreign(tmp_path / "whole.pt")
    inner = OpaqueObject("somebody.Trainer", {"nets": [{"ema": whole.content}]})
    found = find_torch_generator(
        latentfu.ForeignFile(tmp_path, "torch", "0" * 64, {"trainer": inner})
    )
    assert found is whole.content


class Plain:
    """A pickled module of somebody's own class, with rosinality's names below it."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        below: dict[str, Any] = {}
        for name, tensor in state.items():
            first, _, rest = name.partition(".")
            below.setdefault(first, {})[rest] = tensor
        leaf = {k: v for (k, v) in below.items() if list(v) == [""]}
        self._parameters = {k: v[""] for k, v in leaf.items()}
        self._modules = {k: Plain(v) for k, v in below.items() if k not in leaf}


def test_a_whole_module_is_read_by_the_names_of_its_parameters(tmp_path: Path) -> None:
    torch.save({"model": Plain(rosinality()), "latent_avg": average()}, tmp_path / "net.pt")
    assert run(["generators", "import", str(tmp_path / "net.pt"), "--name", "me"]) == 0
    _check_pictures("me", ROSINALITY)


def test_a_tensor_that_is_made_of_something_unknown_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state: dict[str, Any] = {**rosinality(), "conv1.noise.weight": torch.eye(2).to_sparse()}
    torch.save({"g_ema": state}, tmp_path / "net.pt")
    assert run(["generators", "import", str(tmp_path / "net.pt")]) == 1
    said = capsys.readouterr().err
    assert "keeps conv1.noise.weight as torch._utils._rebuild_sparse_tensor" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"vgg": {"features.0.weight": torch.ones(2)}, "epoch": 3}, "vgg (1 tensors, features.0"),
        ({"fake": Path("x")}, "it holds fake (str)"),
        ({str(n): torch.ones(1) for n in range(9)}, "it holds 9 tensors, 0, 1, 2, ..."),
        ([torch.ones(3, 2)], "it holds item 0 (an array [3, 2])"),
    ],
)
def test_a_refusal_says_what_was_found(
    content: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(content, tmp_path / "net.pt")
    assert run(["generators", "import", str(tmp_path / "net.pt")]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1


def with_channels(state: dict[str, torch.Tensor], count: int) -> dict[str, torch.Tensor]:
    """rosinality's network with other layers of colors: gray of the green, or one more channel."""
    out = dict(state)
    for name, old in state.items():
        if name.startswith("to_rgb") and name.endswith((".conv.weight", ".bias")):
            if "modulation" in name:
                continue
            green = old[:, 1:2]
            out[name] = green if count == 1 else torch.cat([old, *[green] * (count - 3)], 1)
    return out


@pytest.mark.parametrize("count", [1, 4])
def test_networks_of_one_and_four_channels_are_used(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(
        {"g_ema": with_channels(rosinality(), count), "latent_avg": average()}, tmp_path / "n.pt"
    )
    assert run(["generators", "import", str(tmp_path / "n.pt"), "--name", "me"]) == 0
    assert ("gray" if count == 1 else "transparency") in capsys.readouterr().out
    generator = latentfu.open_generator(path_of("me"))
    with np.load(ROSINALITY / "expected.npz", allow_pickle=False) as arrays:
        codes, picture = (torch.from_numpy(arrays[key]) for key in ("wplus", "image_wplus"))
    with torch.no_grad():
        drawn = generator.render(Latent(codes, "w+", generator.id))
    wanted = picture if count == 4 else picture[:, 1:2].expand_as(picture)
    assert float((drawn - wanted).abs().max()) < 2e-4


@pytest.mark.parametrize("count", [1, 4])
def test_stylegan3_of_other_channels_is_used_to_the_end(count: int, tmp_path: Path) -> None:
    network = module_of(SG3)
    last = next(
        child
        for child in network.state["_modules"]["synthesis"].state["_modules"].values()
        if child.state.get("is_torgb")
    )
    for kind, name in (("_parameters", "weight"), ("_parameters", "bias")):
        old = last.state[kind][name]
        green = old[1:2]
        last.state[kind][name] = green if count == 1 else np.concatenate([old, green])
    last.state["out_channels"] = count
    network.state["img_channels"] = count
    save_module(network, tmp_path / "n.pt")
    assert run(["generators", "import", str(tmp_path / "n.pt"), "--name", "me"]) == 0
    with use_registry(Registry(all_sources())):  # as the next command sees it
        assert run(["generators", "render", "me", "-o", str(tmp_path / "r"), "--count", "1"]) == 0


def test_two_channels_are_refused_at_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = rosinality()
    for name, tensor in state.items():
        if name.startswith("to_rgb") and name.endswith((".conv.weight", ".bias")):
            state[name] = tensor if "modulation" in name else tensor[:, :2]
    torch.save({"g_ema": state}, tmp_path / "n.pt")
    assert run(["generators", "import", str(tmp_path / "n.pt"), "--name", "me"]) == 1
    assert "draws 2 channels" in capsys.readouterr().err
