"""Generators small enough for every test, and unlike StyleGAN: they have a z space only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, overload

import torch
from torch import nn

from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator, Noise, SynthesisLayer
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
        self._layers = (nn.Linear(8, 16 * 4 * 4), nn.Conv2d(16, 16, 3, padding=1))
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


class LayeredGenerator(TinyGenerator):
    """The same network, which shows its convolution: it can be deformed and takes details."""

    name = "layered"
    layers = (SynthesisLayer("second", 16, 16, 0, "second.weight"),)

    def __init__(self, seed: int = 0, device: str = "cpu") -> None:
        super().__init__(seed, device)
        self.id = hashlib.sha256(f"layered {self.id}".encode()).hexdigest()

    def parameter(self, name: str) -> torch.Tensor:
        if name != "second.weight":
            raise BadInputError(f"The generator {self.name} has no parameter {name!r}.")
        return self._layers[1].weight

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
        if any(index != 0 for index in features or ()):
            raise BadInputError(f"The generator {self.name} has the layer 0 and no other.")
        first = self._layers[0](latent.codes).reshape(-1, 16, 4, 4).tanh()
        wide = nn.functional.interpolate(first, size=(16, 16), mode="bilinear", align_corners=False)
        rows = [self._convolve(wide[n : n + 1], latent, n) for n in range(len(latent))]
        second = torch.cat(rows).tanh()  # [N, 16, 16, 16]
        for detail in latent.details:
            second = second + detail.delta
        image: torch.Tensor = self._color(second).tanh()
        return image if features is None else (image, dict.fromkeys(features, second))

    def _convolve(self, wide: torch.Tensor, latent: Latent, row: int) -> torch.Tensor:
        """One picture's ``[1, 16, 16, 16]`` through the weights that its latent bends."""
        weight = self._layers[1].weight
        for bend in latent.bends:
            strength = bend.strength
            if isinstance(strength, torch.Tensor) and strength.ndim:
                strength = strength[row]
            weight = weight + strength * bend.shift
        return nn.functional.conv2d(wide, weight, self._layers[1].bias, padding=1)


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
