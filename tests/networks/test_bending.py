"""Bends and details: what goes with a latent changes its picture, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from latentfu import BadInputError, FeatureOffset, Latent, WeightOffset, random_latents
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

WEIGHT = "synthesis.convs.2.weight"


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    torch.manual_seed(0)
    config = StyleGAN2Config(resolution=16, z_dim=8, w_dim=16, channels=(12, 8, 8))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "0" * 64, "test")


@pytest.fixture
def latent(generator: StyleGAN2Generator) -> Latent:
    return random_latents(generator, 3, seed=1)


def a_shift(generator: StyleGAN2Generator, seed: int = 2) -> torch.Tensor:
    shape = generator.parameter(WEIGHT).shape
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_layers_name_their_weights_and_sizes(generator: StyleGAN2Generator, latent: Latent) -> None:
    _, features = generator.render(latent, "const", range(len(generator.layers)))
    for place, layer in enumerate(generator.layers):
        side = layer.resolution
        assert tuple(features[place].shape) == (3, layer.channels, side, side)
        assert generator.parameter(layer.weight).shape[0] == layer.channels
        assert generator.parameter(layer.noise).shape == (side, side)


def test_a_bend_equals_changed_weights_and_leaves_them(
    generator: StyleGAN2Generator, latent: Latent
) -> None:
    before, shift = generator.render(latent), a_shift(generator)
    bent = generator.render(
        replace(latent, bends=(WeightOffset(WEIGHT, shift, 0.3), WeightOffset(WEIGHT, shift)))
    )
    weight = generator.network.synthesis.convs[2].weight
    weight += 1.3 * shift
    assert torch.allclose(generator.render(latent), bent, atol=1e-5)
    weight -= 1.3 * shift
    assert torch.allclose(generator.render(latent), before, atol=1e-5)
    assert (bent - before).abs().max() > 0.01


def test_each_code_may_have_its_own_strength(generator: StyleGAN2Generator, latent: Latent) -> None:
    shift, strengths = a_shift(generator), torch.tensor([0.0, 0.5, -1.0])
    together = generator.render(replace(latent, bends=(WeightOffset(WEIGHT, shift, strengths),)))
    for row, strength in enumerate(strengths.tolist()):
        alone = latent.with_codes(latent.codes[row : row + 1])
        alone = replace(alone, bends=(WeightOffset(WEIGHT, shift, strength),))
        assert torch.allclose(generator.render(alone)[0], together[row], atol=1e-5)


def test_gradients_and_forward_derivatives_agree(
    generator: StyleGAN2Generator, latent: Latent
) -> None:
    shift, probe = a_shift(generator), torch.randn(3, 3, 16, 16)

    def brightness(strength: torch.Tensor) -> torch.Tensor:
        bent = replace(latent, bends=(WeightOffset(WEIGHT, shift, strength),))
        return (generator.render(bent) * probe).sum()

    strength = torch.tensor(0.2, requires_grad=True)
    (backward,) = torch.autograd.grad(brightness(strength), strength)
    _, forward = torch.func.jvp(brightness, (torch.tensor(0.2),), (torch.tensor(1.0),))
    assert torch.allclose(backward, forward, rtol=1e-3)
    assert backward.abs() > 0


def test_a_detail_is_added_to_its_layer(generator: StyleGAN2Generator, latent: Latent) -> None:
    plain, before = generator.render(latent, "const", [3])
    delta = torch.zeros_like(before[3][:1])
    delta[..., 4:8, 4:8] = 1.0
    image, after = generator.render(
        replace(latent, details=(FeatureOffset(3, delta),)), "const", [3]
    )
    assert torch.allclose(after[3] - before[3], delta.expand_as(after[3]), atol=1e-5)
    assert (image - plain).abs().max() > 0.01


def test_what_does_not_fit_is_named(generator: StyleGAN2Generator, latent: Latent) -> None:
    for change, word in (
        ({"bends": (WeightOffset("synthesis.nothing", torch.zeros(1)),)}, "nothing"),
        ({"bends": (WeightOffset(WEIGHT, torch.zeros(2, 2)),)}, "shape"),
        ({"details": (FeatureOffset(99, torch.zeros(1, 8, 4, 4)),)}, "layer 99"),
        ({"details": (FeatureOffset(0, torch.zeros(1, 3, 4, 4)),)}, "shape"),
    ):
        with pytest.raises(BadInputError, match=word):
            generator.render(replace(latent, **change))


def test_mixing_keeps_the_bends_of_the_first(generator: StyleGAN2Generator, latent: Latent) -> None:
    bent = replace(latent, bends=(WeightOffset(WEIGHT, a_shift(generator)),))
    nowhere = torch.zeros(1, 1, 16, 16)
    mixed = generator.mix(bent, latent, range(0, 4), nowhere)
    assert torch.equal(mixed, generator.render(bent))
