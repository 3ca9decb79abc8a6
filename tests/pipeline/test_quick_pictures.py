"""Quick pictures of a fraction of the size, made to fit the whole."""

from __future__ import annotations

from dataclasses import replace

import latentfu
import numpy as np
import pytest
import torch
from latentfu import CancelledError, FeatureOffset, Generator, Latent, WeightOffset, random_latents
from latentfu.core.progress import cancel_scope
from latentfu.pipeline.preview import choose_side, fit_picture, render_quick
from latentfu_builtin.networks.stylegan.stylegan1.generator import StyleGAN1Generator
from latentfu_builtin.networks.stylegan.stylegan1.network import StyleGAN1, StyleGAN1Config
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator


@pytest.fixture
def generator() -> StyleGAN2Generator:
    torch.manual_seed(2)
    config = StyleGAN2Config(64, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4, 4, 3))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "e" * 64, "test")


@pytest.mark.parametrize(
    ("asked", "side"), [(1, 4), (4, 4), (5, 8), (9, 16), (17, 32), (33, 64), (500, 64)]
)
def test_the_first_size_that_is_enough_and_at_least_a_sixteenth(generator, asked, side) -> None:
    assert render_quick(generator, random_latents(generator, 1, 0), asked).shape == (3, side, side)


def test_a_network_without_detail_looks_the_same_small(generator) -> None:
    """Where the large layers are smooth, running them small changes nothing but the size."""
    with torch.no_grad():
        for layer in range(5, 9):
            weight = generator.network.synthesis.convs[layer].weight
            middle = weight.sum(dim=(2, 3))
            weight.zero_()
            weight[:, :, 1, 1] = middle
        latent = random_latents(generator, 1, 3)
        whole = generator.render(latent)
        shown = generator.preview(latent, 16)
    smaller = torch.nn.functional.avg_pool2d(whole, 4)
    inside = (slice(None), slice(None), slice(2, 14), slice(2, 14))
    unlike = float((shown - smaller)[inside].std() / smaller[inside].std())
    assert unlike < 0.2


def test_details_and_bends_show(generator) -> None:
    latent = random_latents(generator, 1, 3)
    late = generator.layers[7]
    delta = torch.ones(1, late.channels, late.resolution, late.resolution)
    shift = torch.ones_like(generator.parameter(late.weight))
    with torch.no_grad():
        plain = generator.preview(latent, 16)
        for other in (
            replace(latent, details=(FeatureOffset(7, delta),)),
            replace(latent, bends=(WeightOffset(late.weight, shift),)),
        ):
            assert float((generator.preview(other, 16) - plain).abs().max()) > 1e-3


@pytest.fixture
def first_generation() -> StyleGAN1Generator:
    torch.manual_seed(3)
    config = StyleGAN1Config(64, z_dim=6, mapping=(8, 8), channels=(6, 6, 4, 4, 3))
    network = StyleGAN1(config).eval().requires_grad_(False)
    for conv in network.synthesis.convs:
        conv.noise_weight.fill_(0.05)
    return StyleGAN1Generator(network, "older", "d" * 64, "test")


def test_stylegan1_is_quick_too(first_generation: StyleGAN1Generator) -> None:
    latent = random_latents(first_generation, 2, 1)
    with torch.no_grad():
        for asked, side in ((1, 4), (16, 16), (17, 32)):
            assert first_generation.preview(latent, asked).shape == (2, 3, side, side)
        whole = first_generation.render(latent)
        assert torch.equal(first_generation.preview(latent, 64), whole)
        for layer in range(6, 10):  # smooth late layers: small, they give the same
            weight = first_generation.network.synthesis.convs[layer].weight
            middle = weight.sum(dim=(2, 3))
            weight.zero_()
            weight[:, :, 1, 1] = middle
        whole, shown = first_generation.render(latent), first_generation.preview(latent, 16)
        detail = FeatureOffset(9, torch.ones(1, 3, 64, 64))
        moved = first_generation.preview(replace(latent, details=(detail,)), 16)
    smaller = torch.nn.functional.avg_pool2d(whole, 4)
    inside = (..., slice(2, 14), slice(2, 14))
    assert float((shown - smaller)[inside].std() / smaller[inside].std()) < 0.35
    assert float((moved - shown).abs().max()) > 1e-3


def test_one_picture_after_another_is_the_same_as_by_itself(generator) -> None:
    latent = random_latents(generator, 1, 4)
    moved = latent.codes.clone()
    moved[:, 3:] += 0.5
    with torch.no_grad():
        generator.preview(latent, 16)
        generator.preview(latent, 32)
        after = generator.preview(Latent(moved, "w+", generator.id), 16)
        generator.quick = None
        alone = generator.preview(Latent(moved, "w+", generator.id), 16)
    assert torch.equal(after, alone)


def test_fitted_shows_the_whole_where_nothing_changes_and_the_change_in_its_colors() -> None:
    random = np.random.default_rng(0)
    before = random.standard_normal((3, 8, 8)).astype(np.float32) * 0.1
    colors = np.array([[2.0, 0.1, 0.0], [0.0, 1.5, 0.2], [0.1, 0.0, 2.5]], np.float32)
    small = (colors @ before.reshape(3, -1)).reshape(3, 8, 8) + 0.2
    whole = small.repeat(4, axis=1).repeat(4, axis=2)
    edited, inverted = fit_picture(whole, before, before, 8)
    np.testing.assert_allclose(edited, inverted, atol=1e-6)
    np.testing.assert_allclose(inverted, small, atol=1e-5)
    after = before.copy()
    after[:, 2:4, 2:4] += 0.05
    edited, inverted = fit_picture(whole, before, after, 8)
    wanted = small + (colors @ (after - before).reshape(3, -1)).reshape(3, 8, 8)
    np.testing.assert_allclose(edited, wanted, atol=5e-3)


def test_rendering_stops_between_layers(generator) -> None:
    seen = []

    def check() -> None:
        seen.append(1)
        if len(seen) == 4:
            raise CancelledError

    with pytest.raises(CancelledError), cancel_scope(check):
        generator.render(random_latents(generator, 1, 0))
    generator.render(random_latents(generator, 1, 0))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("resolution", "shown", "times", "side"),
    [
        (1024, 400, 16, 64),
        (1024, 400, 4, 256),
        (2048, 400, 16, 128),
        (512, 400, 16, 64),
        (512, 400, 4, 256),
        (256, 200, 4, 200),
        (256, 256, 1, 256),
        (64, 60, 4, 60),
        (512, 50, 16, 50),
    ],
)
def test_how_large_a_quick_picture_is(resolution: int, shown: int, times: int, side: int) -> None:
    assert choose_side(resolution, shown, times) == side


def test_what_does_not_change_stays_as_sharp_as_the_whole() -> None:
    random = np.random.default_rng(1)
    whole = random.uniform(-0.8, 0.8, (3, 96, 96)).astype(np.float32)
    before = random.standard_normal((3, 32, 32)).astype(np.float32) * 0.1
    edited, shown = fit_picture(whole, before, before, 96)
    assert np.array_equal(shown, whole)
    np.testing.assert_allclose(edited, whole, atol=1e-6)
    after = before.copy()
    after[:, :4, :4] += 1.0
    edited, _ = fit_picture(whole, before, after, 96)
    np.testing.assert_allclose(edited[:, 60:, 60:], whole[:, 60:, 60:], atol=1e-5)
    assert np.abs(edited - whole)[:, :12, :12].mean() > 0.05


@pytest.fixture(scope="module")
def portraits() -> Generator:
    from latentfu.plugin_manager import get_registry

    return get_registry().installed("generators")["portraits"].load("cpu")


@pytest.mark.parametrize("name", ["yaw", "age", "skin_tone", "smile"])
def test_the_built_in_network_shows_an_edit_quickly(portraits: Generator, name: str) -> None:
    """From a quarter of the size: the change itself, and sharper than that size."""
    from latentfu.pipeline.apply_controls import apply_controls
    from latentfu.pipeline.cache import ControlCache
    from latentfu.pipeline.preview import resize_picture
    from latentfu.pipeline.render import render_latent

    latent = random_latents(portraits, 1, 5, psi=0.7)
    controls = latentfu.controls("portraits")
    moved = apply_controls(latent, {name: 2.0}, controls, portraits, cache=ControlCache())
    whole, truth = render_latent(portraits, latent), render_latent(portraits, moved)
    before, after = (render_quick(portraits, one, 32) for one in (latent, moved))
    edited, shown = fit_picture(whole, before, after, 32)
    small = resize_picture(truth, 32)
    assert np.square(edited - small).mean() < 0.3 * np.square(shown - small).mean()
    large, _ = fit_picture(whole, before, after, 128)
    blurred = resize_picture(edited, 128)
    assert np.square(large - truth).mean() < 0.95 * np.square(blurred - truth).mean()
