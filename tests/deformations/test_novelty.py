"""How much of a deformation no direction gives: all without directions, nothing of one that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from latentfu import Control, hookimpl, silent
from latentfu.storage.deformations import Deformation, DeformationEffect, read_deformation
from latentfu.testing.tiny import spec_of
from latentfu_builtin.deformations.commands import discover_command
from latentfu_builtin.deformations.convolution import ShiftedConvolution
from latentfu_builtin.deformations.measurement import measure_direction_span
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

Discover = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(resolution=16, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "d" * 64, "test")


class World:
    """The generator, and directions that do what deformations do."""

    def __init__(self, generator: StyleGAN2Generator) -> None:
        self.generator = generator
        self.known: list[Deformation] = []

    @hookimpl
    def latentfu_generators(self) -> list[Any]:
        return [spec_of(self.generator)]

    @hookimpl
    def latentfu_controls(self, generator: Any) -> list[Control]:
        return [
            Control(
                name=f"known-{item.name}",
                title=item.name,
                positive_means="",
                generator_id=self.generator.id,
                load=lambda item=item: DeformationEffect(item),
                kind="direction",
            )
            for item in self.known
        ]


@pytest.fixture
def world(isolated_home: Path, registered: Any, generator: StyleGAN2Generator) -> World:
    made = World(generator)
    registered(made)
    return made


@pytest.fixture
def discover(world: World, tmp_path: Path) -> Discover:
    def run(*words: str) -> list[dict[str, Any]]:
        common = ["--generator", "small", "--layer", "2", "--method", "svd", "--count", "3"]
        where = ["--samples", "2", "--distance", "pixels", "--out", str(tmp_path), "--json"]
        ran = CliRunner().invoke(discover_command, [*common, *where, *words])
        assert ran.exit_code == 0, ran.exception
        rows: list[dict[str, Any]] = json.loads(ran.stdout)
        return rows

    return run


def test_it_is_measured_only_where_asked_for(discover: Discover) -> None:
    assert [row["beyond"] for row in discover()] == [-1.0] * 3


def test_without_directions_everything_is_new(discover: Discover) -> None:
    assert [row["beyond"] for row in discover("--beyond")] == [1.0] * 3


def test_what_a_direction_gives_is_not_new(
    discover: Discover, world: World, tmp_path: Path
) -> None:
    discover()
    world.known = [read_deformation(tmp_path / f"svd-2-{k}.safetensors") for k in (0, 2)]
    first, second, third = (row["beyond"] for row in discover("--beyond"))
    assert first < 0.01 and third < 0.01
    assert 0.05 < second <= 1.0


def test_a_mixture_of_directions_is_not_new_where_changes_are_small(
    world: World, generator: StyleGAN2Generator
) -> None:
    """Small shifts add up, so half of one and a quarter of another lies in the directions' span."""
    convolution = ShiftedConvolution(generator, 2)
    draw = torch.Generator().manual_seed(0)
    shape = tuple(convolution.weight.shape)
    one, other, new = (1e-3 * torch.randn(shape, generator=draw) for _ in range(3))
    world.known = [
        Deformation(shift.numpy(), convolution.parameter, 2, name, generator.id)
        for name, shift in (("one", one), ("other", other))
    ]
    span = measure_direction_span(generator, silent)
    assert span.measure_novelty(convolution, 0.5 * one - 0.25 * other) < 0.01
    assert span.measure_novelty(convolution, new) > 0.1


def test_a_late_layer_of_a_large_network_is_compared_at_one_size(
    isolated_home: Path, registered: Any
) -> None:
    """Small pictures of a network are no large ones made small: their difference is no change."""
    torch.manual_seed(2)
    config = StyleGAN2Config(
        resolution=256, z_dim=6, w_dim=8, mapping_layers=2, channels=(4,) * 7
    )  # fmt: skip
    network = StyleGAN2(config).eval().requires_grad_(False)
    large = StyleGAN2Generator(network, "large", "e" * 64, "test")
    registered(world := World(large))
    convolution = ShiftedConvolution(large, len(large.layers) - 2)
    shift = 1e-3 * torch.randn(tuple(convolution.weight.shape))
    world.known = [
        Deformation(shift.numpy(), convolution.parameter, convolution.layer, "known", large.id)
    ]
    span = measure_direction_span(large, silent, side=convolution.seen_side)
    assert span.measure_novelty(convolution, 0.5 * shift) < 0.01
