"""The network as a generator of Latent-Fu: what a plug-in has to say about its network."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import latentfu
import torch
from safetensors.torch import load_file
from torch import Tensor

from latentfu_example_generator.network import DCGAN, RESOLUTION, Z_DIM


class DCGANGenerator(latentfu.Generator):
    """Only a z space; no layers, no noise maps, no mixing."""

    spaces = ("z",)
    z_dim = Z_DIM
    resolution = RESOLUTION

    def __init__(self, network: DCGAN, spec: latentfu.GeneratorSpec) -> None:
        self.network = network
        self.name, self.id, self.domain = spec.name, spec.id, spec.domain

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.first.weight.device

    def map(
        self,
        z: Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: Tensor | None = None,
    ) -> latentfu.Latent:
        """z [N, 64] as it is, drawn to the middle by psi."""
        if labels is not None:
            raise latentfu.BadInputError(f"{self.name} has no labels: leave them out.")
        return latentfu.Latent(z.to(self.device) * psi, "z", self.id)

    @overload
    def render(
        self, latent: latentfu.Latent, noise: latentfu.Noise = ..., features: None = None
    ) -> Tensor: ...

    @overload
    def render(
        self, latent: latentfu.Latent, noise: latentfu.Noise, features: Sequence[int]
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def render(
        self,
        latent: latentfu.Latent,
        noise: latentfu.Noise = "const",
        features: Sequence[int] | None = None,
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """Codes [N, 64] -> pictures [N, 3, 64, 64] in -1..1. There is no noise, and no layers."""
        latent.check_generator(self.id)
        if features or latent.bends or latent.details:
            raise latentfu.BadInputError(f"The generator {self.name} shows no layers.")
        picture: Tensor = self.network(latent.codes.to(self.device))
        return picture if features is None else (picture, {})

    def mean_latent(self) -> latentfu.Latent:
        """The middle of the normal distribution, [1, 64]."""
        return latentfu.Latent(torch.zeros(1, Z_DIM, device=self.device), "z", self.id)


def open_generator(weights: Path, spec: latentfu.GeneratorSpec, device: str) -> DCGANGenerator:
    """The generator with the shipped weights (half precision in the file)."""
    network = DCGAN()
    network.load_state_dict({name: t.float() for name, t in load_file(weights).items()})
    return DCGANGenerator(network.eval().requires_grad_(False).to(device), spec)
