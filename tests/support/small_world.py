"""A random StyleGAN2 of 16 px with two random directions, as a plug-in, for the tests."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import torch
from latentfu import (
    Control,
    Direction,
    GeneratorSpec,
    Inversion,
    InversionRequest,
    Inverter,
    Latent,
    Layer,
    Quality,
    hookimpl,
)
from latentfu.storage.direction_control import DirectionEffect
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

SIDE = 16
ID = "a" * 64
WORLD = {"generator": "small", "inverter": "instant", "aligner": "center"}


@cache
def small_generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(
        resolution=SIDE, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 16, 16)
    )
    network = StyleGAN2(config).eval().requires_grad_(False)
    network.mapping.set_w_avg(256)
    return StyleGAN2Generator(network, "small", ID, "test")


def direction(name: str, seed: int, **facts: object) -> Direction:
    vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    values = {"space": "w", "name": name, "generator_id": ID, "plus": f"more {name}"} | facts
    return Direction(vector=vector, **values)  # type: ignore[arg-type]


DIRECTIONS = (direction("red", 1), direction("tall", 2, layers=(0, 1)))


def control(item: Direction) -> Control:
    return Control(
        item.name, item.name, item.plus, item.generator_id, lambda: DirectionEffect(item)
    )


def instant(request: InversionRequest) -> Inversion:
    """Not a good inverter, but one that depends on the crop and takes no time."""
    means = torch.from_numpy(request.crop.image).mean(dim=(1, 2))
    codes = request.generator.mean_latent().codes + means.repeat(6)[:16]
    request.progress(1.0)
    latent = Latent(codes, "w+", request.generator.id)
    return Inversion(latent, Quality(10.0, 0.5, "none", 0.2), "instant")


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    return [GeneratorSpec("small", "Small", "test", SIDE, ID, lambda device: small_generator())]


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    return [Inverter("instant", "Instant", ("w+",), instant)]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    return [control(item) for item in DIRECTIONS if generator.id == ID]


PLUGIN = SimpleNamespace(
    latentfu_generators=latentfu_generators,
    latentfu_inverters=latentfu_inverters,
    latentfu_controls=latentfu_controls,
    __name__="small_world",
)


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> Layer:
    """A smooth picture with noise on it."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 7 + k) + np.cos(y / 5 - k) for k in range(channels)]
    values = 128 + 50 * np.stack(waves, axis=2) + draw.normal(size=(height, width, channels)) * 8
    return Layer(np.clip(values, 0, 255).astype(np.uint8))
