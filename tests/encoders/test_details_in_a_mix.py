"""Details of two latents in a mix: they go to where the mix has the features under them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import latentfu
import pytest
import torch
from latentfu import FeatureOffset, Generator, Latent, random_latents
from latentfu.pipeline.feature_warp import warp_features_into_mix
from latentfu.pipeline.render import render_latent, render_mix


@pytest.fixture(scope="module", autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def with_detail(generator: Generator, seed: int) -> Latent:
    layer = generator.layers[3]
    delta = torch.randn(1, layer.channels, layer.resolution, layer.resolution)
    return replace(random_latents(generator, 1, seed), details=(FeatureOffset(3, delta),))


@pytest.mark.parametrize("space", ["w", "w+"])
def test_where_nothing_is_mixed_and_where_all_is_the_details_stay(
    generator: Generator, space: str
) -> None:
    a, b = with_detail(generator, 1), with_detail(generator, 2)
    if space == "w":
        a, b = (replace(one, codes=one.codes[:, 0], space="w") for one in (a, b))
    everything = (0, generator.num_ws - 1)
    nowhere = torch.zeros(16, 16).numpy()
    assert (render_mix(generator, a, b, everything, nowhere) == render_latent(generator, a)).all()
    assert (render_mix(generator, a, b, everything, None) == render_latent(generator, b)).all()
    assert (render_mix(generator, a, a, (2, 3), None) == render_latent(generator, a)).all()


def test_in_a_mask_the_layers_own_details_fade_into_the_moved_ones(generator: Generator) -> None:
    a, b = with_detail(generator, 1), random_latents(generator, 1, 2)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8:] = 1.0
    chosen = range(0, 2)
    whole = warp_features_into_mix(a, b, chosen, None, generator)[0].details[0].delta
    half = warp_features_into_mix(a, b, chosen, mask, generator)[0].details[0].delta
    assert not torch.equal(whole, a.details[0].delta)
    assert torch.equal(half[..., :8], a.details[0].delta[..., :8])
    assert torch.equal(half[..., 8:], whole[..., 8:])


def test_details_do_in_a_mix_what_codes_that_hold_them_do(isolated_home: Path) -> None:
    """B's code lacks what only its details show; the yardstick is the mix of B's true code."""
    generator = latentfu.open_generator("portraits")
    place, chosen = 8, range(4, 12)
    errors = {"carried": 0.0, "as they are": 0.0}
    for seed in (1, 3, 5):
        a, b, c = (random_latents(generator, 1, seed + step) for step in (0, 1, 101))
        true = b.with_codes(torch.cat([b.codes[:, :4], c.codes[:, 4:]], dim=1))
        poor = b.with_codes(torch.cat([b.codes[:, : place + 1], c.codes[:, place + 1 :]], dim=1))
        shown, known = (generator.render(one, "const", features=[place])[1] for one in (true, poor))
        rich = replace(poor, details=(FeatureOffset(place, shown[place] - known[place]),))
        wanted = generator.mix(a, true, chosen)
        moved = warp_features_into_mix(a, rich, chosen, None, generator)
        errors["carried"] += float((generator.mix(*moved, chosen) - wanted).abs().mean())
        errors["as they are"] += float((generator.mix(a, rich, chosen) - wanted).abs().mean())
    assert errors["carried"] < 0.92 * errors["as they are"]
