"""The whole StyleGAN2 generator: mapping and synthesis."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from latentfu import Noise
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import EqualLinear, lrelu, normalize_2nd_moment
from latentfu_builtin.networks.stylegan.mapped_network import (
    AveragedMapping,
    MappedNetwork,
    MappingConfig,
    load_network_as,
)
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Synthesis
from latentfu_builtin.networks.stylegan.wplusplus import AttentionMapping


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


class StyleGAN2(MappedNetwork):
    """A StyleGAN2 generator (arXiv 1912.04958): z -> w -> one style per layer -> picture."""

    architecture = "stylegan2"
    config: StyleGAN2Config

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.mapping = build_mapping(config)
        self.synthesis = Synthesis(config)
        self.metadata: dict[str, str] = {}

    @property
    def z_numbers(self) -> int:
        """How many random numbers a picture is made of."""
        return self.config.z_numbers

    def forward(
        self, z: Tensor, psi: float = 1.0, cutoff: int | None = None, noise: Noise = "const"
    ) -> Tensor:
        """z [N, z_dim] -> picture [N, 3, R, R], about -1..1."""
        image: Tensor = self.synthesis(self.map(z, psi, cutoff), noise=noise)
        return image


def build_mapping(config: StyleGAN2Config) -> AveragedMapping:
    """Make the kind of mapping that the config names, with fresh weights."""
    if config.mapping == "attention":
        return AttentionMapping(config)
    return JoinedMapping(config) if config.mapping == "joined" else Mapping(config)


def load_network(path: Path | str, device: torch.device | str = "cpu") -> StyleGAN2:
    """Load the StyleGAN2 that a file describes; ValueError as `load_network_as` says."""

    def build(config: str) -> StyleGAN2:
        return StyleGAN2(StyleGAN2Config.from_json(config))

    return load_network_as(StyleGAN2, path, build, device)
