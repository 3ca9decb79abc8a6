"""The study's two networks, as they are kept: each draws what its z stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from latentfu import open_generator, random_latents
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.stylegan.training.losses import psnr
from latentfu_builtin.stylegan.training.source import (
    open_teacher,
    spread_over_tokens,
    teacher_normals,
)

KEPT = Path(__file__).parent / "networks"


def open_kept(mapping: str) -> StyleGAN2Generator:
    generator = open_generator(str(KEPT / f"{mapping}.safetensors"), "cpu")
    assert isinstance(generator, StyleGAN2Generator)
    return generator


@torch.no_grad()
@pytest.mark.parametrize("mapping", ["mlp", "attention"])
def test_it_draws_what_the_renderer_draws(mapping: str) -> None:
    network, random = open_kept(mapping).network, torch.Generator().manual_seed(4)
    z, teacher = torch.randn(24, 64, generator=random), open_teacher("portraits")
    renders, _ = teacher.render(teacher_normals(z, teacher), 64, random)
    if mapping == "attention":
        z = spread_over_tokens(z, network.config.num_ws, random)
    made = network(z, noise="none")
    near, far = (float(psnr(made, each).mean()) for each in (renders, renders.roll(1, 0)))
    assert near > 21 and near > far + 8


def test_codes_of_the_attention_mapping_differ_from_layer_to_layer() -> None:
    generator = open_kept("attention")
    assert generator.spaces[-1] == "w++"
    codes = random_latents(generator, 2, 1).codes
    assert codes.shape == (2, 10, 256)
    assert float((codes[:, :1] - codes[:, 1:]).abs().mean()) > 0.1
