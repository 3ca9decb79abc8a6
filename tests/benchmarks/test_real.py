"""``latentfu bench real``: a stand-in that draws what the built-in one draws, and real steps."""

from __future__ import annotations

import contextlib
from itertools import islice
from pathlib import Path

import latentfu
import pytest
import torch
import torch.nn.functional as F
from latentfu import Latent, LatentFuError, random_latents
from latentfu_builtin.benchmarks import real
from latentfu_builtin.benchmarks.stand_in_network import write_stand_in, write_stand_in_encoder
from latentfu_builtin.encoders.encoder_file import load_encoder
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.people_network.shipped import ENCODER, load_people_generator


def test_the_stand_in_draws_the_same_people(tmp_path: Path) -> None:
    write_stand_in(tmp_path / "wide.safetensors", 256)
    wide = StyleGAN2Generator.open(tmp_path / "wide.safetensors")
    assert (wide.resolution, wide.w_dim, wide.layers[0].channels) == (256, 512, 512)
    source = load_people_generator("cpu")
    with torch.no_grad():
        drawn = wide.render(random_latents(wide, 2, 1))
        known = source.render(random_latents(source, 2, 1))
    apart = (F.adaptive_avg_pool2d(drawn, 128) - known).square().mean()
    assert apart < 0.02 * known.square().mean()


def test_its_encoder_finds_what_the_built_in_one_finds(tmp_path: Path) -> None:
    write_stand_in(tmp_path / "wide.safetensors", 256)
    write_stand_in_encoder(tmp_path / "encoder.safetensors", tmp_path / "wide.safetensors")
    encoder = load_encoder(tmp_path / "encoder.safetensors")
    wide = latentfu.open_generator(tmp_path / "wide.safetensors")
    source = load_people_generator("cpu")
    images = source.render(random_latents(source, 4, 3)).clamp(-1, 1)
    found = wide.render(Latent(encoder(images), "w+", wide.id))
    known = source.render(Latent(load_encoder(ENCODER)(images), "w+", source.id))
    apart = (F.adaptive_avg_pool2d(found, 128) - known).square().mean()
    assert apart < 0.02 * known.square().mean()


def test_its_steps_are_commands_with_their_time_and_memory() -> None:
    with contextlib.closing(real.measure_real(256)) as figures:
        first = list(islice(figures, 4))
    assert [one.name for one in first] == [
        "bring the network in",
        "bring the network in: peak memory",
        "one picture",
        "one picture: peak memory",
    ]
    assert all(one.value > 0 for one in first)


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    step = real._Step("look", ["generators", "info", "nothing-of-that-name"])
    with pytest.raises(LatentFuError, match=r"The step 'look' failed: .*nothing-of-that-name"):
        real._run(step, tmp_path)
