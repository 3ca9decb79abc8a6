"""Pivotal tuning and feature-space detail, and how a detail follows an edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import (
    BadInputError,
    CancelledError,
    FeatureOffset,
    Generator,
    Inverter,
    NotInstalledError,
    random_latents,
)
from latentfu.pipeline.apply_controls import apply_controls
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.feature_warp import find_places, warp_features, warp_to
from latentfu.testing import check_inverter
from latentfu.testing.tiny import TinyGenerator
from latentfu_builtin.inversion.pivotal_tuning import truncate_rank
from latentfu_builtin.inversion.plugin import latentfu_inverters

from tests.support.encoder_world import picture_of, request

METHODS = {inverter.name: inverter for inverter in latentfu_inverters()}
PIVOTAL, FEATURES, PLAIN = METHODS["pivotal"], METHODS["feature-detail"], METHODS["w-plus"]
QUICK = {"pivot": "mean", "loss": "none", "steps": 15}


@pytest.fixture(autouse=True)
def own_house(house: Path) -> None:
    """No encoder is installed."""


def foreign_picture() -> np.ndarray:
    """A picture that no code of the small generator shows."""
    rows, columns = np.mgrid[:16, :16]
    stripes = np.where((rows // 3 + columns // 5) % 2, 0.8, -0.7)
    return np.stack([stripes, -stripes, 0.3 * stripes]).astype(np.float32)


@pytest.mark.parametrize("inverter", [PIVOTAL, FEATURES], ids=lambda inverter: inverter.name)
def test_the_contract_is_kept(inverter: Inverter, generator: Generator) -> None:
    check_inverter(inverter, generator, {**QUICK, "steps": 4})


@pytest.mark.parametrize("inverter", [PIVOTAL, FEATURES], ids=lambda inverter: inverter.name)
def test_more_is_shown_than_any_code_shows(inverter: Inverter, generator: Generator) -> None:
    image = foreign_picture()
    plain = {**PLAIN.options, "losses": "pixels:1", "steps": 100}
    code = PLAIN.invert(request(generator, image, **plain))
    options = {**inverter.options, **QUICK, "pivot": "w-plus", "steps": 40}
    options |= {"side": 16} if inverter is FEATURES else {}
    more = inverter.invert(request(generator, image, **options))
    assert more.quality.psnr > code.quality.psnr + 1
    assert more.latent.bends if inverter is PIVOTAL else more.latent.details


def test_a_detail_is_found_by_the_pixels_and_judged_by_the_loss_as_well(
    generator: Generator,
) -> None:
    options = {**FEATURES.options, "pivot": "w-plus", "pivot_steps": 10, "loss": "l1", "steps": 15}
    by_pixels, by_both = (
        FEATURES.invert(request(generator, foreign_picture(), **options | more)).quality
        for more in ({}, {"perceptual": 5.0})
    )
    assert by_pixels.perceptual_name == by_both.perceptual_name == "l1"
    assert by_pixels.perceptual > by_both.perceptual > 0


def test_the_generator_stays_as_it_is(generator: Generator) -> None:
    latent = random_latents(generator, 2, 4)
    with torch.no_grad():
        before = generator.render(latent)
    PIVOTAL.invert(request(generator, foreign_picture(), **{**PIVOTAL.options, **QUICK}))
    with torch.no_grad():
        assert torch.equal(generator.render(latent), before)


def test_locality_keeps_the_neighbors_more_as_they_were(generator: Generator) -> None:
    latent = random_latents(generator, 8, 21)

    def change(locality: float) -> float:
        options = {**PIVOTAL.options, **QUICK, "steps": 20, "locality": locality}
        options |= {"locality_every": 1, "reach": 1.0}
        found = PIVOTAL.invert(request(generator, foreign_picture(), **options))
        with torch.no_grad():
            bent = generator.render(replace(latent, bends=found.latent.bends))
            return float((bent - generator.render(latent)).square().mean())

    assert change(20.0) < 0.7 * change(0.0)


def test_bends_have_the_rank_that_was_asked_for(generator: Generator) -> None:
    options = {**PIVOTAL.options, **QUICK, "rank": 2}
    found = PIVOTAL.invert(request(generator, foreign_picture(), **options))
    for bend in found.latent.bends:
        flat = bend.shift.reshape(len(bend.shift), -1)
        assert int(torch.linalg.matrix_rank(flat, rtol=1e-4)) <= 2


@settings(max_examples=20, deadline=None)
@given(rank=st.integers(1, 8), seed=st.integers(0, 99))
def test_a_truncated_shift_is_no_further_away_than_one_of_less_rank(rank: int, seed: int) -> None:
    shift = torch.randn(8, 6, 3, 3, generator=torch.Generator().manual_seed(seed))
    near, nearer = truncate_rank(shift, rank), truncate_rank(shift, rank + 1)
    assert (shift - nearer).norm() <= (shift - near).norm() + 1e-5
    assert torch.equal(truncate_rank(shift, 0), shift)


def test_senseless_options_and_generators_without_layers_are_refused(generator: Generator) -> None:
    image = foreign_picture()
    for inverter in (PIVOTAL, FEATURES):
        bad = request(generator, image, **{**inverter.options, "steps": 0})
        with pytest.raises(BadInputError, match="steps is 0"):
            inverter.invert(bad)
        with pytest.raises(NotInstalledError, match="no inverter 'nobody'"):
            inverter.invert(request(generator, image, **{**inverter.options, "pivot": "nobody"}))
        with pytest.raises(BadInputError, match="cannot be the pivot"):
            inverter.invert(request(generator, image, **{**inverter.options, "pivot": "pivotal"}))
        tiny = TinyGenerator()
        with pytest.raises(BadInputError, match="does not show its layers"):
            inverter.invert(request(tiny, picture_of(tiny, 1), **inverter.options))
    with pytest.raises(BadInputError, match="has 5 px; there are: 4, 8, 16"):
        FEATURES.invert(request(generator, image, **{**FEATURES.options, "side": 5}))


@pytest.mark.parametrize("inverter", [PIVOTAL, FEATURES], ids=lambda inverter: inverter.name)
def test_a_cancelled_run_ends_at_once(inverter: Inverter, generator: Generator) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0.5:
            raise CancelledError

    asked = request(generator, foreign_picture(), **{**inverter.options, **QUICK})
    with pytest.raises(CancelledError):
        inverter.invert(replace(asked, progress=stop))


def test_without_an_edit_a_detail_stays_exactly_as_it_is(generator: Generator) -> None:
    code = random_latents(generator, 1, 3)
    detail = FeatureOffset(3, torch.randn(1, generator.layers[3].channels, 8, 8))
    latent = replace(code, details=(detail,))
    assert apply_controls(latent, {}, {}, generator, cache=ControlCache()) is latent
    same = latent.with_codes(latent.codes.clone())
    assert torch.equal(warp_features(latent, same, generator).details[0].delta, detail.delta)


def test_a_detail_moves_with_the_features_under_it() -> None:
    torch.manual_seed(0)
    old = torch.nn.functional.avg_pool2d(torch.randn(1, 16, 34, 34), 3, stride=1)
    delta = torch.zeros(1, 16, 32, 32)
    delta[:, :, 10:14, 10:14] = 1.0
    new = torch.roll(old, (2, 3), (2, 3))
    moved = warp_to(delta, find_places(old), new)
    wanted = torch.roll(delta, (2, 3), (2, 3))
    assert (moved - wanted).square().mean() < 0.35 * (delta - wanted).square().mean()


def test_a_detail_goes_where_what_it_hung_on_is_gone() -> None:
    torch.manual_seed(0)
    old, delta = torch.randn(1, 16, 32, 32), torch.ones(1, 16, 32, 32)
    new = old.clone()
    new[:, :, :, 16:] = torch.randn(1, 16, 32, 16)
    kept = warp_to(delta, find_places(old), new)
    assert float(kept[..., :12].mean()) > 0.9
    assert float(kept[..., 20:].mean()) < 0.3


def test_the_pivot_is_told_to_stay_near_the_generators_own_codes(generator: Generator) -> None:
    sizes = []
    for prior in (0.0, 50.0):
        options = {**FEATURES.options, **QUICK, "steps": 1, "pivot": "w-plus"}
        found = FEATURES.invert(
            request(generator, foreign_picture(), **options | {"pivot_prior": prior})
        )
        away = found.latent.codes - generator.mean_latent().codes
        sizes.append(float(away.square().mean()))
    assert sizes[1] < 0.5 * sizes[0]
