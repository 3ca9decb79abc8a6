"""A generator with the sizes of the published faces (18 layers of 512 numbers), and no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import latentfu
import torch
from latentfu import BadInputError, Generator, GeneratorSpec, Latent, SynthesisLayer
from latentfu.testing.tiny import spec_of

ID = "5" * 64


class Large(Generator):
    """w is z moved and stretched a little; the picture's three colors are sums of w."""

    name, id, domain, resolution = "large", ID, "large", 16
    spaces = ("w", "w+")
    z_dim, w_dim, num_ws = 512, 512, 18
    layers = tuple(
        SynthesisLayer(f"l{i}", 16, 64, i, f"synthesis.convs.{i}.weight") for i in range(17)
    )

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def stretch(self) -> torch.Tensor:
        return torch.linspace(0.5, 2.0, 512)

    def map(
        self, z: torch.Tensor, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> Latent:
        w = 0.1 + psi * z * self.stretch()
        return Latent(w[:, None].expand(-1, 18, -1), "w+", ID)

    def render(  # type: ignore[override]
        self, latent: Latent, noise: str = "const", features: Sequence[int] | None = None
    ) -> torch.Tensor:
        w = latent.codes if latent.codes.ndim == 2 else latent.codes.mean(dim=1)
        colors = w[:, :510].reshape(len(w), 3, 170).mean(dim=2).tanh()
        return colors[:, :, None, None].expand(-1, 3, 16, 16).contiguous()

    def mean_latent(self) -> Latent:
        return self.map(torch.zeros(1, 512))

    def parameter(self, name: str) -> torch.Tensor:
        if name.startswith("synthesis.convs.") and name.endswith(".affine.weight"):
            number = int(name.split(".")[2])
            return torch.randn(64, 512, generator=torch.Generator().manual_seed(number))
        raise BadInputError(f"There is no {name}.")


@latentfu.hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    return [spec_of(Large())]
