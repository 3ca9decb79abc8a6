"""Using a foreign encoder: the picture as it wants it, the mean code added, ReStyle's rounds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from latentfu import Generator
from torch import Tensor, nn

from latentfu_builtin.encoders.foreign.recognise import Architecture
from latentfu_builtin.networks.encoders.pyramid_encoder import resized

SIDE = 256
"""All of them look at pictures of this side, RGB, -1..1."""
ROUNDS = 5
"""How often ReStyle looks again, as in its paper."""


@dataclass(frozen=True)
class ForeignEncoder:
    """A foreign network that gives whole codes for ``generator``.

    ``mean [styles or 1, D]``: what its offsets are added to.
    """

    network: nn.Module
    architecture: Architecture
    mean: Tensor
    generator: Generator

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures [N, 3, R, R] in -1..1 -> codes [N, num_ws, D], or [N, D] in w."""
        small = resized(pictures.to(self.generator.device).float(), SIDE)
        if self.architecture.looks_back:
            return self.shaped(self.in_rounds(small))
        codes = self.network(small)
        return self.shaped(codes if self.architecture.absolute else codes + self.mean)

    def in_rounds(self, small: Tensor) -> Tensor:
        """ReStyle: each round sees what the last one found, beginning with the mean."""
        codes = self.mean.expand(len(small), self.generator.num_ws, -1)
        for _ in range(ROUNDS):
            latent = self.generator.mean_latent().with_codes(codes)
            found = resized(self.generator.render(latent).clamp(-1, 1), SIDE)
            codes = codes + self.network(torch.cat([small, found], dim=1))
        return codes

    def shaped(self, codes: Tensor) -> Tensor:
        """One style for all layers as a code in w."""
        return codes[:, 0] if codes.shape[1] == 1 else codes
