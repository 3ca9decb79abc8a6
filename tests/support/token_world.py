"""A generator with a space w++ (a code for each token, each with a spread of its own)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from latentfu import Generator, Latent

from tests.support.small_world import small_generator

ID = "c" * 64


class TokenGenerator(Generator):
    """The small StyleGAN2 of the tests behind a mapping that keeps tokens apart."""

    name, id, domain = "tokens", ID, "test"
    spaces = ("w++",)

    def __init__(self) -> None:
        self.inner = small_generator()
        self.resolution, self.w_dim = self.inner.resolution, self.inner.w_dim
        self.num_ws, self.layers = self.inner.num_ws, self.inner.layers
        self.z_dim = self.num_ws * 4
        draw = torch.Generator().manual_seed(4)
        sizes = torch.linspace(0.05, 0.5, self.num_ws)[:, None, None]  # a spread for each token
        self.matrices = sizes * torch.randn(self.num_ws, 4, self.w_dim, generator=draw)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def map(
        self, z: torch.Tensor, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> Latent:
        tokens = z.reshape(len(z), self.num_ws, 4).mul(0.8)
        codes = torch.einsum("ntd,tdw->ntw", tokens, self.matrices) * psi
        return Latent(self.mean_latent().codes + codes, "w++", ID)

    def render(self, latent: Latent, noise: Any = "const", features: Any = None) -> Any:
        latent.check_generator(ID)
        inner = replace(latent, space="w+", generator_id=self.inner.id)
        return self.inner.render(inner, noise, features)

    def parameter(self, name: str) -> torch.Tensor:
        return self.inner.parameter(name)

    def mean_latent(self) -> Latent:
        return replace(self.inner.mean_latent(), space="w++", generator_id=ID)


@cache
def token_generator() -> TokenGenerator:
    return TokenGenerator()
