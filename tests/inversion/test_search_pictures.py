"""Searches that look at quick pictures: the same search, and an honest result."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from latentfu import Crop, FeatureOffset, Generator, InversionRequest, Latent, Quad, random_latents
from latentfu.core.progress import silent
from latentfu_builtin.inversion.feature_detail import invert_with_detail
from latentfu_builtin.inversion.optimize import optimize_latent, optimize_latents
from latentfu_builtin.inversion.search_pictures import SearchPictures
from latentfu_builtin.networks.stylegan.stylegan1.generator import StyleGAN1Generator
from latentfu_builtin.networks.stylegan.stylegan1.network import StyleGAN1, StyleGAN1Config
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from torch import Tensor

SIDE, DETAIL_LAYER = 16, 4
SAME = 0.05
"""Quick pictures may be drawn in bfloat16, which keeps two to three digits."""


def make_stylegan2() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(64, z_dim=6, w_dim=8, mapping_layers=2, channels=(8, 8, 8, 6, 4))
    network = StyleGAN2(config).eval().requires_grad_(False)
    for place in range(2, 5):  # as in trained networks: most of the picture is in the small sizes
        network.synthesis.rgbs[place].weight.mul_(0.3)
    return StyleGAN2Generator(network, "small", "e" * 64, "test")


def make_stylegan1() -> StyleGAN1Generator:
    torch.manual_seed(1)
    config = StyleGAN1Config(64, z_dim=6, mapping=(8, 8), channels=(8, 8, 8, 6, 4))
    network = StyleGAN1(config).eval().requires_grad_(False)
    return StyleGAN1Generator(network, "older", "d" * 64, "test")


@pytest.fixture(params=[make_stylegan2, make_stylegan1])
def generator(request: pytest.FixtureRequest) -> Generator:
    made: Generator = request.param()
    return made


def request_of(generator: Generator, seed: int = 5, **options: Any) -> InversionRequest:
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1).numpy()
    return InversionRequest(Crop(image, Quad.square(0, 0, 64), "test"), generator, silent, options)


def with_detail(latent: Latent, delta: Tensor) -> Latent:
    return Latent(
        latent.codes,
        latent.space,
        latent.generator_id,
        details=(FeatureOffset(DETAIL_LAYER, delta),),
    )


def test_a_small_network_is_searched_by_its_own_pictures(generator: Generator) -> None:
    for side in (0, 64, 128):
        pictures = SearchPictures(generator, side)
        latents = random_latents(generator, 2, 3)
        assert pictures.are_whole
        assert torch.equal(pictures.draw(latents), generator.render(latents))


def test_quick_pictures_are_right_where_they_were_measured(generator: Generator) -> None:
    pictures, latents = SearchPictures(generator, SIDE), random_latents(generator, 2, 3)
    assert (pictures.are_whole, pictures.size) == (False, SIDE)
    pictures.anchor(latents)
    whole = F.adaptive_avg_pool2d(generator.render(latents), SIDE)
    assert (pictures.draw(latents) - whole).abs().max() < SAME * whole.std()
    one = Latent(latents.codes[1:], latents.space, latents.generator_id)
    assert (pictures.of(1).draw(one) - whole[1:]).abs().max() < SAME * whole.std()


def test_several_codes_are_drawn_as_each_alone(generator: Generator) -> None:
    latents = random_latents(generator, 3, 2)
    together = generator.preview(latents, SIDE)
    for row in range(3):
        one = Latent(latents.codes[row : row + 1], latents.space, latents.generator_id)
        alone = generator.preview(one, SIDE)
        assert together[row].shape == alone[0].shape
        assert (together[row] - alone[0]).abs().max() < SAME * together.std()


def test_gradients_point_where_those_of_whole_pictures_do(generator: Generator) -> None:
    target = F.adaptive_avg_pool2d(generator.render(random_latents(generator, 1, 8)), SIDE)
    slopes = []
    for draw in (
        SearchPictures(generator, SIDE).draw,
        lambda latent: F.adaptive_avg_pool2d(generator.render(latent), SIDE),
    ):
        start = random_latents(generator, 1, 3)
        codes = start.codes.detach().clone().requires_grad_(True)
        loss = (draw(start.with_codes(codes)) - target).square().mean()
        (slope,) = torch.autograd.grad(loss, codes)
        slopes.append(slope.flatten())
    assert F.cosine_similarity(*slopes, dim=0) > 0.9


def test_a_detail_is_drawn_from_its_layer_on_and_comes_out_the_same() -> None:
    generator = make_stylegan2()
    one, other = random_latents(generator, 1, 3), random_latents(generator, 1, 4)
    for latent in (one, other, one):
        delta = torch.randn(1, 8, 16, 16, requires_grad=True)
        kept = generator.preview(with_detail(latent, delta), SIDE)
        with torch.no_grad():
            plain = generator.preview(with_detail(latent, delta), SIDE)
        assert (kept - plain).abs().max() < SAME * plain.std()
        (slope,) = torch.autograd.grad(kept.square().mean(), delta)
        assert slope.abs().max() > 0
    with torch.no_grad():
        generator.network.synthesis.convs[1].weight.mul_(-1)
    changed = generator.preview(with_detail(one, delta), SIDE)
    assert (changed - kept).abs().max() > SAME * plain.std()


def test_the_result_is_measured_by_whole_pictures(generator: Generator) -> None:
    """And comes near to what a search by whole pictures finds."""
    asked = request_of(generator, losses="pixels", steps=80)
    slow = optimize_latent(asked)
    quick = optimize_latent(
        InversionRequest(asked.crop, generator, silent, {**asked.options, "quick_side": SIDE})
    )
    image = generator.render(quick.latent).clamp(-1, 1)
    error = (image[0] - torch.from_numpy(asked.crop.image)).square().mean()
    assert quick.quality.psnr == pytest.approx(float(10 * torch.log10(4 / error)), abs=1e-3)
    assert quick.quality.psnr > slow.quality.psnr - 3.0


def test_several_pictures_are_found_as_each_alone(generator: Generator) -> None:
    options = {"losses": "pixels", "steps": 20, "quick_side": SIDE}
    asked = [request_of(generator, seed, **options) for seed in (5, 6)]
    for found, each in zip(optimize_latents(asked), asked, strict=True):
        assert found.quality.psnr == pytest.approx(optimize_latent(each).quality.psnr, abs=1.0)


def test_a_detail_found_by_quick_pictures_shows_the_whole_one() -> None:
    generator = make_stylegan2()
    options = {"loss": "none", "side": 16, "steps": 60, "pivot": "w-plus"}
    slow, quick = (
        invert_with_detail(request_of(generator, 9, **options, quick_side=side))
        for side in (0, SIDE)
    )
    assert quick.quality.psnr > slow.quality.psnr - 3.0
    assert quick.latent.details[0].delta.shape[-1] == 16


def test_pictures_of_work_in_progress_are_as_large_as_the_result(generator: Generator) -> None:
    seen: list[tuple[int, ...]] = []
    asked = request_of(generator, losses="pixels", steps=3, quick_side=SIDE)
    optimize_latent(
        InversionRequest(
            asked.crop, generator, silent, asked.options, lambda image: seen.append(image.shape)
        )
    )
    assert set(seen) == {(1, 3, 64, 64)}
