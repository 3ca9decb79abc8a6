"""A channel of a style as a slider: which channel it moves, how far, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from latentfu import DirectionEffect, hookimpl, random_latents, read_direction
from latentfu.testing.tiny import spec_of
from latentfu_builtin.directions.commands.import_published import import_directions_command
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

Import = Callable[..., Result]

STYLES = [
    (0, "convs.0", 0), (1, "rgbs.0", 1),
    (2, "convs.1", 1), (3, "convs.2", 2), (4, "rgbs.1", 3),
    (5, "convs.3", 3), (6, "convs.4", 4), (7, "rgbs.2", 5),
]  # fmt: skip
"""The paper's number of a style, the layer of a network of 16 px, and the code that it reads."""


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(resolution=16, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "d" * 64, "test")


@pytest.fixture
def importing(
    isolated_home: Path, registered: Any, tmp_path: Path, generator: StyleGAN2Generator
) -> Import:
    class World:
        @staticmethod
        @hookimpl
        def latentfu_generators() -> list[Any]:
            return [spec_of(generator)]

    registered(World())

    def run(channel: str, *words: object) -> Result:
        common = ["--generator", "small", "--out", str(tmp_path / "out"), "--channel", channel]
        return CliRunner().invoke(import_directions_command, [*common, *map(str, words)])

    return run


@pytest.mark.parametrize(("number", "layer", "code"), STYLES)
def test_strength_1_adds_one_spread_to_the_channel_of_the_papers_count(
    importing: Import, tmp_path: Path, generator: StyleGAN2Generator,
    number: int, layer: str, code: int,
) -> None:  # fmt: skip
    told = importing(f"{number}_2")
    assert told.exit_code == 0, told.exception
    found = read_direction(tmp_path / "out" / f"style-{number}-2.safetensors")
    affine = f"synthesis.{layer}.affine"
    assert found.parameter == f"{affine}.bias" and np.flatnonzero(found.vector).tolist() == [2]
    codes = random_latents(generator, 4000, 9).codes[:, min(code, generator.num_ws - 1)]
    weight = generator.parameter(f"{affine}.weight")[2]
    spread = float((codes @ weight).std()) / generator.w_dim**0.5
    assert found.vector[2] == pytest.approx(spread, rel=0.1)
    latent = random_latents(generator, 2, 3)
    moved = generator.render(DirectionEffect(found).move(latent, 1.5, generator))
    changed = copy.deepcopy(generator.network)
    changed.get_parameter(f"{affine}.bias")[2] += 1.5 * float(found.vector[2])
    other = StyleGAN2Generator(changed, "small", generator.id, "test")
    torch.testing.assert_close(moved, other.render(latent), atol=1e-4, rtol=1e-3)
    assert (moved - generator.render(latent)).abs().max() > 1e-4


def test_the_options_say_name_side_and_meaning(importing: Import, tmp_path: Path) -> None:
    words = ("--name", "glow", "--plus", "more glow", "--flip", "--json")
    told = importing("3:1", *words)
    assert told.exit_code == 0, told.exception
    (row,) = json.loads(told.stdout)["files"]
    assert row["directions"][0]["name"] == "glow"
    found = read_direction(tmp_path / "out" / "glow.safetensors")
    assert (found.plus, found.group, found.minimum) == ("more glow", "channels", -20.0)
    assert found.vector[1] < 0


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        ("eyes", "not like 15_45"),
        ("3_1_4", "not like 15_45"),
        ("2_99", "the channels 0 to"),
        ("8_0", "shows no layer 5"),
        ("10_0", "shows no style 10"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    importing: Import, tmp_path: Path, channel: str, sentence: str
) -> None:
    told = importing(channel)
    assert told.exit_code == 1 and sentence in str(told.exception)
    assert not (tmp_path / "out").exists()


def test_a_file_and_a_channel_at_once_are_refused(importing: Import, tmp_path: Path) -> None:
    told = importing("2_0", tmp_path / "smile.npy")
    assert told.exit_code == 1 and "or a --channel" in str(told.exception)
