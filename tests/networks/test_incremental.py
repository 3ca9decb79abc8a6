"""Rendering again from the first layer that a change touches gives the same picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import FeatureOffset, Latent, WeightOffset, random_latents
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

LAYERS = 7


def a_generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(32, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4, 3))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "e" * 64, "test")


@pytest.fixture
def generator() -> StyleGAN2Generator:
    return a_generator()


SHIFTS = [torch.randn(6, 6, 3, 3), torch.randn(4, 6, 3, 3), torch.randn(3, 4, 1, 1)]
PLACES = ["synthesis.convs.2.weight", "synthesis.convs.3.weight", "synthesis.rgbs.3.weight"]
SHIFTS[2] = torch.randn(3, 3, 1, 1)
DELTA = torch.randn(1, 4, 16, 16)

changes = st.lists(
    st.one_of(
        st.tuples(st.just("style"), st.integers(0, 7), st.floats(-1, 1, width=16)),
        st.tuples(st.just("bend"), st.integers(0, 2), st.floats(-1, 1, width=16)),
        st.tuples(st.just("detail"), st.integers(3, 4), st.just(1.0)),
        st.tuples(st.just("drop"), st.just(0), st.just(0.0)),
    ),
    min_size=1,
    max_size=6,
)


def changed(latent: Latent, what: str, place: int, amount: float) -> Latent:
    if what == "style":
        codes = latent.codes.clone()
        codes[:, place] += amount
        return latent.with_codes(codes)
    if what == "bend":
        return replace(
            latent, bends=(*latent.bends, WeightOffset(PLACES[place], SHIFTS[place], amount))
        )
    if what == "detail":
        return replace(latent, details=(*latent.details, FeatureOffset(place, DELTA)))
    return replace(latent, bends=latent.bends[1:], details=latent.details[1:])


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(steps=changes)
def test_any_way_of_changes_ends_at_the_same_pixels(steps: list[tuple[str, int, float]]) -> None:
    generator, fresh = a_generator(), a_generator()
    latent = random_latents(generator, 1, seed=0)
    with torch.no_grad():
        generator.render(latent)
        for step in steps:
            latent = changed(latent, *step)
            fresh.incremental.kept = None
            assert torch.equal(generator.render(latent), fresh.render(latent))


def layers_for(generator: StyleGAN2Generator, latent: Latent) -> int:
    """How many layers a render computes."""
    before = generator.incremental.computed
    with torch.no_grad():
        generator.render(latent)
    return generator.incremental.computed - before


def test_only_what_comes_after_the_change_is_computed(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 1, seed=0)
    assert layers_for(generator, latent) == LAYERS
    assert layers_for(generator, latent) == 1
    bent = replace(latent, bends=(WeightOffset(PLACES[1], SHIFTS[1], 0.5),))
    assert layers_for(generator, bent) == LAYERS - 3
    stronger = replace(latent, bends=(WeightOffset(PLACES[1], SHIFTS[1], 0.6),))
    assert layers_for(generator, stronger) == LAYERS - 3
    assert layers_for(generator, changed(stronger, "style", 5, 0.5)) == LAYERS - 4
    assert layers_for(generator, changed(stronger, "bend", 2, 0.5)) == LAYERS - 4


def test_what_is_changed_in_place_is_seen(generator: StyleGAN2Generator) -> None:
    shift = SHIFTS[0].clone()
    latent = replace(
        random_latents(generator, 1, seed=0), bends=(WeightOffset(PLACES[0], shift, 1.0),)
    )
    with torch.no_grad():
        one = generator.render(latent)
        shift.mul_(2)
        other = generator.render(latent)
        generator.parameter(PLACES[1]).mul_(1.5)
        third = generator.render(latent)
        generator.incremental.kept = None
        assert torch.equal(third, generator.render(latent))
    assert not torch.equal(one, other) and not torch.equal(other, third)


def test_gradients_and_transforms_do_not_touch_what_is_kept(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 1, seed=0)
    with torch.no_grad():
        plain = generator.render(latent)
    codes = latent.codes.clone().requires_grad_(True)
    generator.render(latent.with_codes(codes)).sum().backward()
    assert codes.grad is not None and codes.grad.abs().max() > 0
    with torch.no_grad():
        torch.func.jvp(
            lambda c: generator.render(latent.with_codes(c)),
            (latent.codes,),
            (torch.ones_like(latent.codes),),
        )
        again = generator.render(latent)
        assert torch.equal(again, plain)
        again.zero_()
        assert torch.equal(generator.render(latent), plain)
