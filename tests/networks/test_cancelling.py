"""A picture that nobody waits for any more stops before its next layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latentfu import CancelledError, Generator, Latent, random_latents
from latentfu.core.progress import cancel_scope
from latentfu_builtin.networks.stylegan.stylegan1 import StyleGAN1, StyleGAN1Config
from latentfu_builtin.networks.stylegan.stylegan1.generator import StyleGAN1Generator
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator


def stylegan1() -> Generator:
    config = StyleGAN1Config(32, z_dim=8, mapping=(8,), channels=(8, 8, 8, 8))
    network = StyleGAN1(config).eval().requires_grad_(False)
    return StyleGAN1Generator(network, "small", "1" * 64, "test")


def stylegan2() -> Generator:
    config = StyleGAN2Config(32, z_dim=8, w_dim=8, mapping_layers=1, channels=(8, 8, 8, 8))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "2" * 64, "test")


WAYS: dict[str, Callable[[Generator, Latent], object]] = {
    "render": lambda generator, latent: generator.render(latent),
    "preview": lambda generator, latent: generator.preview(latent, 8),
    "mix": lambda generator, latent: generator.mix(latent, latent, range(2)),
}


@pytest.mark.parametrize("make", [stylegan1, stylegan2])
@pytest.mark.parametrize("way", WAYS)
def test_it_is_asked_once_a_layer_and_stops_there(make: Callable[[], Generator], way: str) -> None:
    torch.manual_seed(0)
    generator = make()
    latent = random_latents(generator, 1, seed=0)
    asked: list[int] = []

    def count() -> None:
        asked.append(len(asked))
        if len(asked) == stop:
            raise CancelledError

    stop = 0
    with torch.no_grad(), cancel_scope(count):
        WAYS[way](generator, latent)
    layers = len(generator.layers)
    assert layers <= len(asked) <= 2 * layers  # mixing draws a layer twice
    stop = 3
    asked.clear()
    fresh = make()
    with torch.no_grad(), cancel_scope(count), pytest.raises(CancelledError):
        WAYS[way](fresh, random_latents(fresh, 1, seed=0))
    assert len(asked) == 3
    with torch.no_grad():
        WAYS[way](fresh, random_latents(fresh, 1, seed=0))  # nothing of it is left behind
