"""The mapping network: from a plain normal z to the intermediate latent w."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from latentfu_stylegan.stylegan2.config import StyleGAN2Config
from latentfu_stylegan.stylegan2.layers import EqualLinear, lrelu, normalize_2nd_moment


class Mapping(nn.Module):
    """MLP from z to w, with the running mean `w_avg` that truncation pulls towards.

    w_avg: [w_dim] float32.
    """

    w_avg: Tensor

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        sizes = [config.z_dim] + [config.w_dim] * config.mapping_layers
        self.layers = nn.ModuleList(
            EqualLinear(a, b, lr_multiplier=config.mapping_lr_multiplier)
            for a, b in pairwise(sizes)
        )
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(self, z: Tensor) -> Tensor:
        """z [N, z_dim], standard normal -> w [N, w_dim]."""
        with torch.autocast(z.device.type, enabled=False):  # small, and worth full precision
            x = normalize_2nd_moment(z.float())
            for layer in self.layers:
                x = lrelu(layer(x))
        return x

    @torch.no_grad()
    def track_w_avg(self, w: Tensor, decay: float = 0.998) -> None:
        """Move w_avg towards the mean of a training batch w [N, w_dim]."""
        self.w_avg.lerp_(w.detach().float().mean(dim=0), 1.0 - decay)

    @torch.no_grad()
    def set_w_avg(self, samples: int = 10_000, seed: int = 0, batch: int = 1000) -> None:
        """Set w_avg to the mean w of `samples` random z (drawn from `seed`)."""
        first: EqualLinear = self.layers[0]  # type: ignore[assignment]
        generator = torch.Generator().manual_seed(seed)
        total = torch.zeros_like(self.w_avg, dtype=torch.float64)
        done = 0
        while done < samples:
            count = min(batch, samples - done)
            z = torch.randn(count, first.weight.shape[1], generator=generator)
            total += self(z.to(self.w_avg.device)).double().sum(dim=0)
            done += count
        self.w_avg.copy_(total / max(done, 1))
