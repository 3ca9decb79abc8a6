"""Inversion in w++: each token has a spread of its own, and every method works there."""

from __future__ import annotations

import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from latentfu import BadInputError, Crop, InversionRequest, Quad, random_latents
from latentfu.core.progress import silent
from latentfu.pipeline.invert import choose_inverters
from latentfu_builtin.inversion.coordinates import (
    choose_coordinates,
    measure_row_spread,
    measure_spread,
)
from latentfu_builtin.inversion.optimize import optimize_latent, optimize_latents
from latentfu_builtin.inversion.pivotal_tuning import choose_pivot_inverter
from latentfu_builtin.inversion.settings import PRESETS

from tests.support.token_world import ID, token_generator

INVERTERS = {item.name: item for item in latentfu_builtin.inversion.plugin.latentfu_inverters()}


def own_crop(seed: int) -> Crop:
    generator = token_generator()
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1)
    return Crop(image.numpy(), Quad.square(0, 0, generator.resolution), "test")


def asked(number: int, **options: float | int | str | bool) -> InversionRequest:
    settings = {"losses": "pixels", "steps": 40, **options}
    return InversionRequest(own_crop(number), token_generator(), silent, settings)


def test_each_token_is_measured_in_its_own_spread() -> None:
    generator = token_generator()
    codes = random_latents(generator, 400, 5).codes
    by_row, pooled = measure_row_spread(generator), measure_spread(generator)
    sizes = by_row.whitened(codes).square().mean(dim=(0, 2))
    assert torch.allclose(by_row.codes(by_row.whitened(codes)), codes, atol=1e-3)
    assert float(sizes.max()) < 1.5 * float(sizes.min())
    pooled_sizes = pooled.whitened(codes).square().mean(dim=(0, 2))
    assert float(pooled_sizes.max()) > 5 * float(pooled_sizes.min())


@pytest.mark.parametrize("units", ["spread", "plain"])
@pytest.mark.parametrize("space", ["auto", "w++", "z"])
def test_codes_are_found_in_the_generators_own_space(space: str, units: str) -> None:
    early = optimize_latent(asked(3, space=space, units=units, steps=1))
    found = optimize_latent(asked(3, space=space, units=units))
    assert found.latent.space == "w++"
    assert found.latent.codes.shape == token_generator().mean_latent().codes.shape
    assert found.quality.psnr > early.quality.psnr


def test_points_and_codes_of_tokens_are_inverse() -> None:
    latent = random_latents(token_generator(), 3, 8)
    for units in ("spread", "plain"):
        space = choose_coordinates(token_generator(), "auto", units)
        back = space.latent(space.points(latent)).codes
        assert torch.allclose(back, latent.codes, atol=1e-3)
        assert space.strangeness(space.points(latent)).shape == (3,)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_work_in_w_plus_plus_and_several_pictures_at_once(name: str) -> None:
    losses = str(PRESETS[name].options["losses"]).replace("vgg16", "l2").replace("auto", "pixels")
    options = {**PRESETS[name].options, "losses": losses, "steps": 6}
    found = optimize_latents([asked(number, **options) for number in (1, 2)])
    assert [item.latent.space for item in found] == ["w++", "w++"]
    assert all(np.isfinite(item.quality.psnr) for item in found)


@pytest.mark.parametrize("quality", ["draft", "good", "best"])
def test_every_quality_has_a_method_for_such_a_generator(quality: str) -> None:
    inverter, options = choose_inverters(INVERTERS, token_generator(), None, quality)[0]
    changes = {**inverter.options, **options, "steps": 5}
    found = inverter.invert(InversionRequest(own_crop(4), token_generator(), silent, changes))
    assert found.latent.space == "w++" and found.latent.generator_id == ID
    assert choose_pivot_inverter(token_generator(), "auto").name == "optimise"


def test_a_space_with_fewer_numbers_is_refused_in_one_sentence() -> None:
    with pytest.raises(BadInputError, match="has no space 'w\\+'"):
        optimize_latent(asked(3, space="w+"))
