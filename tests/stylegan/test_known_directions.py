"""Directions that are read off what a renderer says of z move one factor and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError, ControlRequest, Direction, read_direction, silent
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.stylegan.training.known_directions import make_known_direction
from latentfu_builtin.stylegan.training.teach_mapping import (
    MappingOptions,
    TaughtMapping,
    teach_mapping,
)

from tests.support.hats import Hats

CONFIG = StyleGAN2Config(resolution=8, z_dim=6, w_dim=32, mapping_layers=2, channels=(16, 8))
QUICK = MappingOptions(layers=3, samples=6000, steps=300, batch=256)
Make = Callable[..., Direction]


@pytest.fixture(scope="module")
def taught() -> TaughtMapping:
    torch.manual_seed(0)
    return teach_mapping(StyleGAN2(CONFIG), Hats(), QUICK)


@pytest.fixture
def make(taught: TaughtMapping, tmp_path: Path) -> Make:
    def make(factor: str, network: StyleGAN2 = taught.network, **options: str) -> Direction:
        generator = StyleGAN2Generator(network, "hats", "a" * 64, "test")
        told = {"renderer": "tests.support.hats", **options}
        request = ControlRequest(generator, factor, 4000, 0, silent, options=told)
        (path,) = make_known_direction(request, tmp_path)
        return read_direction(path)

    return make


def tell(taught: TaughtMapping, vector: torch.Tensor) -> torch.Tensor:
    """How far a step of w moves gray, hat and the side of the hat, in their deviations."""
    places = taught.directions
    return (vector @ places.T) / places.square().sum(1)


def test_each_factor_moves_alone(taught: TaughtMapping, make: Make) -> None:
    """Although light grays and hats go together in the renderer's pictures."""
    for place, factor in enumerate(("gray", "hat")):
        moved = tell(taught, torch.from_numpy(make(factor).vector))
        assert moved[place] > 0.5
        others = moved.clone()
        others[place] = 0
        assert others.abs().max() < 0.25 * moved[place]


def test_it_says_what_it_is(make: Make) -> None:
    direction = make("hat", name="my-hat", plus="a hat", group="things")
    assert (direction.name, direction.attribute, direction.plus) == ("my-hat", "hat", "a hat")
    assert (direction.space, direction.group, direction.method) == ("w", "things", "renderer")


def test_what_the_renderer_does_not_know_is_refused(make: Make) -> None:
    with pytest.raises(BadInputError, match="no factor beard; it has: gray, hat"):
        make("beard")


def test_a_network_of_something_else_is_refused(make: Make) -> None:
    short = StyleGAN2(StyleGAN2Config(resolution=8, z_dim=2, w_dim=8, channels=(16, 8)))
    with pytest.raises(BadInputError, match="has a z of 2 numbers, and the renderer"):
        make("gray", short)


def test_a_w_that_knows_nothing_of_a_factor_is_refused(make: Make) -> None:
    torch.manual_seed(1)
    deaf = StyleGAN2(CONFIG)
    with torch.no_grad():
        deaf.mapping.layers[0].weight[:, 1] = 0.0  # the number that the hat hangs on
        deaf.mapping.layers[0].weight[:, 0] = 0.0
    with pytest.raises(BadInputError, match="does not know hat"):
        make("hat", deaf)


def test_silent_renderers_are_refused(make: Make) -> None:
    with pytest.raises(BadInputError, match="does not say what its numbers mean"):
        make("gray", renderer="portraits")
    with pytest.raises(BadInputError, match="There is no renderer named nowhere"):
        make("gray", renderer="nowhere")
