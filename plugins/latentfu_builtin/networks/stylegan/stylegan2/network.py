"""The whole StyleGAN2 generator: mapping and synthesis."""

from __future__ import annotations

from pathlib import Path

import torch
from latentfu import Noise
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import (
    AveragedMapping,
    MappedNetwork,
    load_network_as,
)
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.mapping import JoinedMapping, Mapping
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Synthesis
from latentfu_builtin.networks.stylegan.wplusplus import AttentionMapping


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
