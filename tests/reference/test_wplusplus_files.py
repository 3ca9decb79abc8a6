"""TransStyleGAN's file gives the codes, attention and pictures of the original."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, FeatureOffset, ForeignFile, Latent, WeightOffset, read_foreign
from latentfu_builtin.checkpoints.converters import encoder_decoder, transstylegan
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.networks.stylegan.wplusplus import AttentionMapping
from safetensors.numpy import load_file, save_file
from torch import Tensor

FOLDER = Path(__file__).parent / "wplusplus" / "wpp-64"
TOLERANCE = 2e-4
"""On pictures of 30 in magnitude; the original differs by 2.5e-5 from itself in other batches."""
Case = tuple[StyleGAN2Generator, dict[str, Tensor]]


@pytest.fixture(scope="module")
def foreign() -> ForeignFile:
    return read_foreign(FOLDER / "network.pt")


@pytest.fixture(scope="module")
def weights(foreign: ForeignFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (result,) = [
        found
        for known in latentfu.checkpoint_formats().values()
        if known.convert and (found := known.convert(foreign)) is not None
    ]
    path = tmp_path_factory.mktemp("wpp") / "network.safetensors"
    save_file(result.tensors, path, result.metadata)
    return path


@pytest.fixture
def case(weights: Path) -> Case:
    generator = latentfu.open_generator(weights)
    assert isinstance(generator, StyleGAN2Generator)
    with np.load(FOLDER / "expected.npz", allow_pickle=False) as arrays:
        return generator, {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def far(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


def test_codes_and_attention_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    mapping, z = generator.network.mapping, want["z"].flatten(1)
    assert isinstance(mapping, AttentionMapping)
    start = mapping.start(z)
    assert far(start, want["pixelnorm_of_z_token"]) < 1e-5
    assert far(mapping.layers[0](start), want["after_block1"]) < 1e-5
    seen = mapping.attention(z)
    assert far(seen[0], want["attention_block1"]) < 1e-5
    assert far(seen[-1], want["attention_last"]) < 1e-5
    latent = generator.map(z)
    assert latent.space == "w++" and far(latent.codes, want["wplusplus"]) < 1e-5


def test_pictures_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    assert far(generator.render(generator.map(want["z"].flatten(1))), want["image"]) < TOLERANCE
    other = Latent(want["wplusplus_other"], "w++", generator.id)
    assert far(generator.render(other), want["image_other"]) < TOLERANCE
    generator.network.mapping.w_avg.copy_(want["wplusplus_mean"])
    pulled = generator.map(want["z"].flatten(1), 0.7)
    assert far(generator.render(pulled), want["image_psi07"]) < TOLERANCE


def test_the_mean_is_measured_for_each_style_as_the_file_has_none(case: Case) -> None:
    generator, want = case
    mean = generator.mean_latent()
    spread = latentfu.random_latents(generator, 200, 1).codes.std(dim=0)
    assert mean.codes.shape == (1, 10, 32) and mean.space == "w++"
    error = ((mean.codes[0] - want["wplusplus_mean"]) / spread).square().mean().sqrt()
    assert float(error) < 2 / 512**0.5  # theirs is of 512 samples
    cut = generator.map(want["z"].flatten(1), 0.0, cutoff=4).codes
    assert torch.equal(cut[:, :4], mean.codes[:, :4].expand(2, -1, -1))
    assert far(cut[:, 4:], want["wplusplus"][:, 4:]) < 1e-5


def test_the_decoder_of_an_encoder_brings_its_own_means(
    weights: Path, foreign: ForeignFile
) -> None:
    ours = load_file(weights)
    state = foreign.member("g_ema")
    assert isinstance(state, dict)
    inside = {f"decoder.{name}": array for name, array in state.items()}
    means = np.arange(320, dtype=np.float32).reshape(10, 32)
    whole = replace(foreign, content={"state_dict": inside, "latent_avg": means})
    assert encoder_decoder.FORMAT.convert(whole) is None
    found = transstylegan.convert(whole)
    assert found is not None and np.array_equal(found.tensors.pop("mapping.w_avg"), means)
    assert all(np.array_equal(array, ours[name]) for name, array in found.tensors.items())


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("style.3.atten.k_transform.weight", None, "lacks style.3.atten.k_transform.weight"),
        ("style.9.mlp.7.weight", np.zeros((2, 2), "f4"), "has style.9.mlp.7.weight, which no"),
        ("style.2.mlp.0.bias", np.zeros(31, "f4"), r"of shape \[31\], expected \[32\]"),
        ("token", np.ones((10, 10), "f4"), "otherwise than by one-hots"),
    ],
)
def test_what_does_not_fit_is_named(
    name: str, array: np.ndarray | None, said: str, foreign: ForeignFile
) -> None:
    state = dict(foreign.member("g_ema"))  # type: ignore[call-overload]
    state.pop(name, None)
    changed = state if array is None else {**state, name: array}
    with pytest.raises(BadInputError, match=said):
        transstylegan.convert(replace(foreign, content={"g_ema": changed}))


def test_bends_details_and_styles_act_as_in_any_network(case: Case) -> None:
    generator, want = case
    latent = Latent(want["wplusplus"][:1], "w++", generator.id)
    bend = WeightOffset("synthesis.convs.3.weight", torch.ones(16, 16, 3, 3), 0.2)
    detail = FeatureOffset(5, torch.ones(1, 16, 32, 32))
    with torch.no_grad():
        plain, changed = generator.render(latent), []
        for other in (replace(latent, bends=(bend,)), replace(latent, details=(detail,))):
            changed.append(generator.render(other))
            assert far(changed[-1], plain) > 0.1
        assert torch.equal(generator.render(latent), plain)
    again = generator.render(replace(latent, bends=(bend,)))  # with gradients: from the start
    assert far(again, changed[0]) < TOLERANCE
    for word in ("w", "w+"):
        codes = latent.codes if word == "w+" else latent.codes[:, 0]
        with pytest.raises(BadInputError, match=r"takes w\+\+, not"):
            generator.render(Latent(codes, word, generator.id))  # type: ignore[arg-type]


def test_mixing_takes_the_styles_asked_for(case: Case) -> None:
    generator, want = case
    a, b = (Latent(want["wplusplus"][i : i + 1], "w++", generator.id) for i in (0, 1))
    codes = a.codes.clone()
    codes[:, 4:7] = b.codes[:, 4:7]
    mixed = generator.mix(a, b, range(4, 7))
    assert far(mixed, generator.render(a.with_codes(codes))) < TOLERANCE
    assert far(generator.mix(a, b, range(10)), generator.render(b)) < TOLERANCE
