"""Small generators with layers, and a home with an encoder in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from latentfu import Crop, Generator, InversionRequest, Quad, random_latents, silent
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config, save_network
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

PUBLISHED = Path(__file__).parents[1] / "encoders" / "published"


def network(resolution: int, w_dim: int, seed: int = 0) -> StyleGAN2:
    torch.manual_seed(seed)
    channels = (24, 24, 16, 12, 8)[: resolution.bit_length() - 2]
    net = StyleGAN2(StyleGAN2Config(resolution, 6, w_dim, 2, 1.0, channels))
    with torch.no_grad():
        for conv in net.synthesis.convs:
            conv.get_parameter("noise_strength").fill_(0.05)
    net.mapping.set_w_avg(2000)
    return net


def weights(folder: Path, resolution: int = 16, w_dim: int = 16, seed: int = 0) -> Path:
    path = folder / f"small-{resolution}-{seed}.safetensors"
    save_network(path, network(resolution, w_dim, seed), {"domain": "small"}, torch.float32)
    return path


@cache
def opened(path: Path) -> Generator:
    return StyleGAN2Generator.open(path)


def picture_of(generator: Generator, seed: int) -> np.ndarray:
    with torch.no_grad():
        return generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1).numpy()


def request(
    generator: Generator, image: np.ndarray, **options: float | int | str | bool
) -> InversionRequest:
    crop = Crop(np.asarray(image, np.float32), Quad.square(0, 0, generator.resolution), "test")
    return InversionRequest(crop, generator, silent, options)
