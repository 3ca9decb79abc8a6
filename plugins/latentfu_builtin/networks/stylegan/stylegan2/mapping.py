"""The mapping network: from a plain normal z to the intermediate latent w."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import EqualLinear, lrelu, normalize_2nd_moment
from latentfu_builtin.networks.stylegan.mapped_network import AveragedMapping, MappingConfig


class Mapping(AveragedMapping):
    """MLP from z to w.

    w_avg: [w_dim]. A conditional network also embeds its labels, and the MLP reads
    both (StyleGAN2-ADA, arXiv 2006.06676).
    """

    def __init__(self, config: MappingConfig) -> None:
        super().__init__()
        self.z_dim, self.c_dim = config.z_dim, config.c_dim
        width = self.label_numbers(config)
        read = config.z_dim + (width if config.c_dim else 0)
        sizes = [read] + [config.w_dim] * config.mapping_layers
        self.embed = EqualLinear(config.c_dim, width) if config.c_dim else None
        self.layers = nn.ModuleList(
            EqualLinear(a, b, lr_multiplier=config.mapping_lr_multiplier)
            for a, b in pairwise(sizes)
        )
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """z [N, z_dim], standard normal, labels [N, c_dim] (None: the first) -> w [N, w_dim]."""
        with torch.autocast(z.device.type, enabled=False):  # small, and worth full precision
            if self.embed is None:
                x = normalize_2nd_moment(z.float())
            else:
                if labels is None:
                    labels = torch.zeros(z.shape[0], self.c_dim, device=z.device)
                    labels[:, 0] = 1.0
                x = self.with_labels(z.float(), self.embed(labels.float()))
            for layer in self.layers:
                x = lrelu(layer(x))
        return x

    def label_numbers(self, config: MappingConfig) -> int:
        """How many numbers a label becomes."""
        return config.w_dim

    def with_labels(self, z: Tensor, embedded: Tensor) -> Tensor:
        """z [N, z_dim] and labels [N, w_dim] -> what the layers read [N, z_dim + w_dim]."""
        return torch.cat([normalize_2nd_moment(z), normalize_2nd_moment(embedded)], dim=1)


class JoinedMapping(Mapping):
    """Labels as wide as z, both normalized together (StyleGAN and StyleGAN2 in TensorFlow)."""

    def label_numbers(self, config: MappingConfig) -> int:
        """How many numbers a label becomes."""
        return config.z_dim

    def with_labels(self, z: Tensor, embedded: Tensor) -> Tensor:
        """z [N, z_dim] and labels [N, z_dim] -> what the layers read [N, 2 z_dim]."""
        return normalize_2nd_moment(torch.cat([z, embedded], dim=1))
