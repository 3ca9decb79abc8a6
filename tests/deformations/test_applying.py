"""Deformations in use: several at once, with directions, per item, on pictures and tuned codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import BadInputError, WeightOffset, random_latents
from latentfu.storage.deformations import Deformation, DeformationEffect, write_deformation
from latentfu_builtin.deformations.user_library import user_deformations_folder
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(resolution=16, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "d" * 64, "test")


def a_deformation(on: latentfu.Generator, layer: int, seed: int, name: str = "bend") -> Deformation:
    parameter = on.layers[layer].weight
    shape = tuple(on.parameter(parameter).shape)
    shift = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return Deformation(shift, parameter, layer, name, on.id)


strengths = st.floats(-1, 1, width=32)


@settings(max_examples=15, deadline=None)
@given(a=strengths, b=strengths, layer=st.integers(0, 4))
def test_the_order_of_deformations_does_not_count(
    generator: StyleGAN2Generator, a: float, b: float, layer: int
) -> None:
    latent = random_latents(generator, 1, seed=0)
    one, other = (DeformationEffect(a_deformation(generator, k, k)) for k in (layer, 1))
    there = other.apply(one.apply(latent, a, generator), b, generator)
    back = one.apply(other.apply(latent, b, generator), a, generator)
    assert torch.allclose(generator.render(there), generator.render(back), atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(a=strengths, b=strengths)
def test_strengths_of_the_same_deformation_add_up(
    generator: StyleGAN2Generator, a: float, b: float
) -> None:
    latent = random_latents(generator, 1, seed=0)
    mover = DeformationEffect(a_deformation(generator, 2, 0))
    twice = mover.apply(mover.apply(latent, a, generator), b, generator)
    once = mover.apply(latent, a + b, generator)
    assert torch.allclose(generator.render(twice), generator.render(once), atol=1e-4)


def test_each_item_of_a_batch_can_have_its_own_strength(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 3, seed=0)
    deformation = a_deformation(generator, 2, 0)
    shift = torch.from_numpy(deformation.shift)
    each = torch.tensor([-1.0, 0.0, 0.7])
    together = generator.render(
        replace(latent, bends=(WeightOffset(deformation.parameter, shift, each),))
    )
    for row, strength in enumerate(each.tolist()):
        item = latent.with_codes(latent.codes[row : row + 1])
        alone = DeformationEffect(deformation).apply(item, strength, generator)
        assert torch.allclose(together[row], generator.render(alone)[0], atol=1e-5)


@pytest.mark.parametrize(("codes", "strengths"), [(3, 2), (3, 4), (1, 3)])
def test_strengths_for_other_codes_are_one_sentence(
    generator: StyleGAN2Generator, codes: int, strengths: int
) -> None:
    deformation = a_deformation(generator, 2, 0)
    bend = WeightOffset(
        deformation.parameter, torch.from_numpy(deformation.shift), torch.ones(strengths)
    )
    with pytest.raises(BadInputError, match=f"has {strengths} strengths; give one"):
        generator.render(replace(random_latents(generator, codes, seed=0), bends=(bend,)))


def test_the_network_is_neither_changed_nor_copied(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 1, seed=0)
    before = {name: value.clone() for name, value in generator.network.state_dict().items()}
    deformation = a_deformation(generator, 2, 0)
    weight = generator.parameter(deformation.parameter)
    moved = DeformationEffect(deformation).apply(latent, 1.0, generator)
    generator.render(moved)
    assert generator.parameter(deformation.parameter) is weight
    assert all(torch.equal(v, before[n]) for n, v in generator.network.state_dict().items())
    # What lies before the deformed layer is what it was.
    _, plain = generator.render(latent, "const", [0, 1, 2])
    _, deformed = generator.render(moved, "const", [0, 1, 2])
    assert torch.equal(plain[1], deformed[1]) and not torch.equal(plain[2], deformed[2])


def test_a_tuned_code_keeps_its_tuning(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 1, seed=0)
    tuning = WeightOffset("synthesis.convs.1.weight", torch.randn(6, 6, 3, 3))
    tuned = replace(latent, bends=(tuning,))
    mover = DeformationEffect(a_deformation(generator, 2, 0))
    moved = mover.apply(tuned, 0.5, generator)
    assert moved.bends[0] is tuning and tuned.bends == (tuning,)
    assert torch.equal(
        generator.render(mover.apply(tuned, 0.0, generator)), generator.render(tuned)
    )
    assert not torch.allclose(generator.render(moved), generator.render(tuned), atol=1e-3)


def test_an_edit_of_a_picture_takes_both_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    generator = latentfu.open_generator("portraits", "cpu")
    large = a_deformation(generator, 4, 0, "swell")
    large = replace(large, shift=large.shift * 0.4, generator="portraits")
    write_deformation(user_deformations_folder() / "swell.safetensors", large)
    with torch.no_grad():
        drawn = generator.render(random_latents(generator, 1, seed=3, psi=0.7))[0]
    pixels = drawn.add(1).mul(127.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
    wishes: list[dict[str, float]] = [{"smile": 1.0}, {"swell": 1.0}, {"smile": 1.0, "swell": 1.0}]
    results = [
        latentfu.edit(pixels, wish, generator="portraits", inverter="encoder", aligner="center")
        for wish in wishes
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(results[one].astype(int) - results[other].astype(int)).max() > 8
