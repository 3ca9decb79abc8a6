"""Noise maps of one's own: they act as the network's own ones do, for some layers or for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, Generator, Latent, WeightOffset, read_foreign
from safetensors.numpy import save_file
from torch import Tensor

FOLDER = Path(__file__).parent
PLACES = {
    "stylegan1": FOLDER / "stylegan1/genforce-sg1-pth/res64-shared-conv",
    "stylegan2": FOLDER / "checkpoints/rosinality-pt/cm1",
    "w++": FOLDER / "wplusplus/wpp-64",
}
TOLERANCE = 4e-4
Case = tuple[Generator, dict[str, Tensor]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Generator]:
    def open_(place: Path) -> Generator:
        foreign = read_foreign(next(place.glob("network.*")))
        converts = [f.convert for f in latentfu.checkpoint_formats().values() if f.convert]
        found = next(made for convert in converts if (made := convert(foreign)) is not None)
        path = tmp_path_factory.mktemp("noise") / "network.safetensors"
        save_file(found.tensors, path, found.metadata)
        return latentfu.open_generator(path)

    return open_


@pytest.fixture(scope="module", params=PLACES)
def case(request: pytest.FixtureRequest, opened: Callable[[Path], Generator]) -> Case:
    place = PLACES[request.param]
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        return opened(place), {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def far(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


def own_maps(generator: Generator) -> dict[int, Tensor]:
    names = [layer.noise for layer in generator.layers]
    return {i: generator.parameter(name)[None, None] for i, name in enumerate(names)}


def drawn_maps(generator: Generator, n: int) -> dict[int, Tensor]:
    draw = torch.Generator().manual_seed(n)
    sides = [layer.resolution for layer in generator.layers]
    return {i: torch.randn(n, 1, side, side, generator=draw) for i, side in enumerate(sides)}


def test_the_networks_own_maps_give_the_pictures_of_the_original(case: Case) -> None:
    generator, want = case
    names = [("wplus", "image_wplus"), ("wplusplus_other", "image_other")]
    codes, picture = next((want[a], want[b]) for a, b in names if a in want)
    latent = Latent(codes, generator.spaces[-1], generator.id)
    with torch.no_grad():
        assert far(generator.render(latent, own_maps(generator)), picture) < TOLERANCE
        nothing = {i: torch.zeros_like(value) for i, value in own_maps(generator).items()}
        still = generator.render(latent, nothing)
        assert far(still, generator.render(latent, "none")) < TOLERANCE
        if "image_noise_none" in want:
            straight = latent.with_codes(want["ws"])
            assert far(generator.render(straight, nothing), want["image_noise_none"]) < TOLERANCE


def test_maps_of_some_layers_leave_the_others_and_equal_bent_ones(case: Case) -> None:
    generator, _ = case
    latent = latentfu.random_latents(generator, 1, 3)
    chosen = {place: drawn_maps(generator, 1)[place] for place in (0, 3)}
    bends = tuple(
        WeightOffset(name, value[0, 0] - generator.parameter(name))
        for name, value in ((generator.layers[i].noise, value) for i, value in chosen.items())
    )
    with torch.no_grad():
        image, kept = generator.render(latent, chosen, [3])
        bent = generator.render(replace(latent, bends=bends))
        assert far(image, bent) < TOLERANCE and far(image, generator.render(latent)) > 0.01
        assert kept[3].shape[1] == generator.layers[3].channels
        assert torch.equal(generator.render(latent, {}), generator.render(latent, "const"))


def test_each_picture_has_maps_of_its_own(case: Case) -> None:
    generator, _ = case
    latent, maps = latentfu.random_latents(generator, 2, 4), drawn_maps(generator, 2)
    maps[1] = maps[1][:1]  # one for both
    name = generator.layers[2].weight
    bend = WeightOffset(name, torch.ones_like(generator.parameter(name)), torch.tensor([0.0, 0.3]))
    alone = []
    with torch.no_grad():
        for i in range(2):
            one = latent.with_codes(latent.codes[i : i + 1])
            own = {k: v if len(v) == 1 else v[i : i + 1] for k, v in maps.items()}
            alone.append(generator.render(one, own))
        together = generator.render(latent, maps)
        bent = generator.render(replace(latent, bends=(bend,)), maps)
    assert far(together, torch.cat(alone)) < 10 * TOLERANCE
    assert far(bent[:1], alone[0]) < 10 * TOLERANCE and far(bent[1:], alone[1]) > 0.01


def test_gradients_flow_to_maps(case: Case) -> None:
    generator, _ = case
    maps = {place: value.requires_grad_() for place, value in drawn_maps(generator, 1).items()}
    generator.render(latentfu.random_latents(generator, 1, 5), maps).square().mean().backward()
    assert all(float(value.grad.abs().max()) > 0 for value in maps.values())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        ({99: torch.zeros(1, 1, 4, 4)}, "no noise in a layer 99"),
        ({1: torch.zeros(1, 1, 3, 3)}, r"shape \[1, 1, 3, 3\]"),
        ({0: torch.zeros(3, 1, 4, 4)}, r"takes \[2, 1, 4, 4\]"),
        ({0: torch.zeros(4, 4)}, r"shape \[4, 4\]"),
        ("loud", "not 'loud'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(case: Case, noise: object, said: str) -> None:
    generator, _ = case
    with pytest.raises(BadInputError, match=said):
        generator.render(latentfu.random_latents(generator, 2, 1), noise)  # type: ignore[call-overload]


def test_a_network_without_noise_refuses_maps(opened: Callable[[Path], Generator]) -> None:
    generator = opened(FOLDER / "stylegan3" / "stylegan3-t")
    with pytest.raises(BadInputError, match="no noise in a layer 2"):
        generator.render(generator.mean_latent(), {2: torch.zeros(1, 1, 36, 36)})
