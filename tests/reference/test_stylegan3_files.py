"""StyleGAN3 checkpoints, T and R, give the pictures of the code they came from."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import FeatureOffset, Latent, WeightOffset, read_foreign
from latentfu_builtin.checkpoints.converters.nvlabs_stylegan3 import convert
from latentfu_builtin.networks.stylegan.stylegan3.generator import (
    StyleGAN3Generator,
)
from safetensors.numpy import save_file
from torch import Tensor

FOLDER = Path(__file__).parent / "stylegan3"
TOLERANCE = 1e-4
Case = tuple[StyleGAN3Generator, dict[str, Tensor]]


@pytest.fixture(scope="module", params=["stylegan3-t", "stylegan3-r"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    place = FOLDER / str(request.param)
    result = convert(read_foreign(place / "network.pkl"))
    assert result is not None
    path = tmp_path_factory.mktemp("sg3") / "network.safetensors"
    save_file(result.tensors, path, result.metadata)
    assert isinstance(latentfu.open_generator(path), StyleGAN3Generator)
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        return StyleGAN3Generator.open(path), {
            name: torch.from_numpy(arrays[name]) for name in arrays.files
        }


def far(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


def test_pictures_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    whole = generator.map(want["z"])
    assert far(whole.codes, want["ws"]) < TOLERANCE
    assert far(generator.render(whole), want["image"]) < TOLERANCE
    pulled = generator.map(want["z"], psi=0.7)
    assert far(pulled.codes, want["ws_psi07"]) < TOLERANCE
    assert far(generator.render(pulled), want["image_psi07"]) < TOLERANCE
    apart = Latent(want["wplus"], "w+", generator.id)
    assert far(generator.render(apart), want["image_wplus"]) < TOLERANCE
    in_w = Latent(want["w"], "w", generator.id)
    assert far(generator.render(in_w), want["image"]) < TOLERANCE


def test_the_input_and_a_turned_picture_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    begin = generator.network.synthesis.input
    assert far(begin(want["ws"][:, 0]), want["input_features"]) < TOLERANCE
    turn = want["user_transform"] - torch.eye(3)
    turned = Latent(
        want["ws"],
        "w+",
        generator.id,
        bends=(WeightOffset("synthesis.input.transform", turn, 1.0),),
    )
    assert far(generator.render(turned), want["image_user_transform"]) < TOLERANCE


def test_a_batch_is_its_pictures_one_by_one(case: Case) -> None:
    generator, want = case
    latent = Latent(want["wplus"], "w+", generator.id)
    alone = [generator.render(latent.with_codes(row[None])) for row in want["wplus"]]
    assert far(generator.render(latent), torch.cat(alone)) < TOLERANCE


def test_mixing_with_itself_changes_nothing_and_a_mask_holds(case: Case) -> None:
    generator, want = case
    a = Latent(want["wplus"][:1], "w+", generator.id)
    b = Latent(want["wplus"][1:], "w+", generator.id)
    plain = generator.render(a)
    layers = range(4, 10)
    assert far(generator.mix(a, a, layers), plain) < TOLERANCE
    assert far(generator.mix(a, b, range(16)), generator.render(b)) < TOLERANCE
    none = torch.zeros(1, 1, 8, 8)
    assert torch.equal(generator.mix(a, b, layers, none), plain)
    half = none.clone()
    half[..., 4:] = 1.0
    changed = (generator.mix(a, b, layers, half) - plain).abs()
    assert changed[..., 44:].mean() > 5 * changed[..., :20].mean()
    with pytest.raises(latentfu.BadInputError, match=r"0\.\.15"):
        generator.mix(a, b, range(20))


def test_details_and_features_are_of_the_layers_sizes(case: Case) -> None:
    generator, want = case
    latent = Latent(want["ws"], "w+", generator.id)
    image, kept = generator.render(latent, "const", [3, 9])
    for place, features in kept.items():
        layer = generator.layers[place]
        assert features.shape == (2, layer.channels, layer.resolution, layer.resolution)
    moved = Latent(
        want["ws"], "w+", generator.id, details=(FeatureOffset(9, torch.ones_like(kept[9])),)
    )
    assert far(generator.render(moved), image) > 0
    assert generator.parameter(generator.layers[3].weight).ndim == 4


def test_gradients_reach_the_codes(case: Case) -> None:
    generator, want = case
    codes = want["wplus"].clone().requires_grad_(True)
    generator.render(Latent(codes, "w+", generator.id)).square().sum().backward()
    assert codes.grad is not None and bool((codes.grad.abs().sum(dim=(0, 2)) > 0).all())
