"""A generator small enough for every test, and unlike StyleGAN: it has a z space only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, overload

import torch
from torch import nn

from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator, Noise
from latentfu.core.latent import Latent, Space
from latentfu.plugin_objects import GeneratorSpec


class TinyGenerator(Generator):
    """8 normal numbers -> 3 x 16 x 16, random smooth colors; features after its two layers."""

    name = "tiny"
    domain = "test"
    resolution = 16
    spaces: tuple[Space, ...] = ("z",)
    z_dim = 8

    def __init__(self, seed: int = 0, device: str = "cpu") -> None:
        draw = torch.Generator().manual_seed(seed)
        self._layers = [nn.Linear(8, 16 * 4 * 4), nn.Conv2d(16, 16, 3, padding=1)]
        self._color = nn.Conv2d(16, 3, 1)
        digest = hashlib.sha256()
        for module in (*self._layers, self._color):
            for weight in module.parameters():
                weight.requires_grad_(False)
                weight.copy_(torch.randn(weight.shape, generator=draw) / weight[0].numel() ** 0.5)
                digest.update(weight.numpy().tobytes())
            module.to(device)
        self.id = digest.hexdigest()

    @property
    def device(self) -> torch.device:
        return self._color.weight.device

    def map(
        self,
        z: torch.Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: torch.Tensor | None = None,
    ) -> Latent:
        if labels is not None:
            raise BadInputError("The tiny generator takes no labels.")
        return Latent(z * psi, "z", self.id)

    def mean_latent(self) -> Latent:
        return Latent(torch.zeros(1, self.z_dim, device=self.device), "z", self.id)

    @overload
    def render(self, latent: Latent, noise: Noise = ..., features: None = None) -> torch.Tensor: ...

    @overload
    def render(
        self, latent: Latent, noise: Noise, features: Sequence[int]
    ) -> tuple[torch.Tensor, dict[int, torch.Tensor]]: ...

    def render(
        self, latent: Latent, noise: Noise = "const", features: Sequence[int] | None = None
    ) -> torch.Tensor | tuple[torch.Tensor, dict[int, torch.Tensor]]:
        latent.check_generator(self.id)
        first = self._layers[0](latent.codes).reshape(-1, 16, 4, 4).tanh()
        wide = nn.functional.interpolate(first, size=(16, 16), mode="bilinear", align_corners=False)
        second = self._layers[1](wide).tanh()
        image: torch.Tensor = self._color(second).tanh()
        if features is None:
            return image
        kept = {0: first, 1: second}
        return image, {index: kept[index] for index in features}


def tiny_spec(seed: int = 0) -> GeneratorSpec:
    """The tiny generator as a plug-in would list it; another seed is another generator."""
    return spec_of(TinyGenerator(seed))


def spec_of(generator: Generator, **changes: Any) -> GeneratorSpec:
    """A spec for a generator that is loaded already; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "name": generator.name,
        "title": generator.name,
        "domain": generator.domain,
        "resolution": generator.resolution,
        "id": generator.id,
        "load": lambda device: generator,
    }
    return GeneratorSpec(**(fields | changes))
