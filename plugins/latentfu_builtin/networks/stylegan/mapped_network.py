"""The whole generator: mapping and synthesis."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.mapping import (
    AveragedMapping,
    JoinedMapping,
    Mapping,
)
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Noise, Synthesis


class Sizes(Protocol):
    """What every config of the family says."""

    @property
    def z_dim(self) -> int: ...

    @property
    def num_ws(self) -> int: ...


class MappedNetwork(nn.Module):
    """A network whose styles come from z through a mapping network with a mean w.

    `metadata` holds what the file said beside the weights (domain, licence, training).
    """

    config: Sizes
    mapping: AveragedMapping
    metadata: dict[str, str]

    def map(
        self,
        z: Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: Tensor | None = None,
    ) -> Tensor:
        """z [N, z_dim], standard normal, labels [N, c_dim] or None -> ws [N, num_ws, w_dim].

        psi pulls the first `cutoff` styles (all when None) towards the mean w: 1 leaves them
        as they are, 0 gives the mean exactly.
        """
        if z.ndim != 2 or z.shape[1] != self.z_numbers:
            raise ValueError(f"z must have the shape [N, {self.z_numbers}], not {list(z.shape)}")
        w: Tensor = self.mapping(z, labels)
        ws = self.broadcast(w)
        if psi == 1.0:
            return ws
        end = self.config.num_ws if cutoff is None else cutoff
        mean = self.broadcast(self.mapping.w_avg[None])  # [1, num_ws, w_dim]
        pulled = torch.lerp(mean[:, :end], ws[:, :end], psi)
        return torch.cat([pulled, ws[:, end:]], dim=1)

    @property
    def z_numbers(self) -> int:
        """How many random numbers a picture is made of."""
        return self.config.z_dim

    def broadcast(self, w: Tensor) -> Tensor:
        """w [N, w_dim] -> the same style for every layer, [N, num_ws, w_dim].

        What is a style for each layer already, [N, num_ws, w_dim], stays as it is.
        """
        if w.ndim == 3:
            return w
        return w[:, None, :].repeat(1, self.config.num_ws, 1)


class StyleGAN2(MappedNetwork):
    """A StyleGAN2 generator (arXiv 1912.04958): z -> w -> one style per layer -> picture."""

    config: StyleGAN2Config

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.mapping = mapping_of(config)
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


def mapping_of(config: StyleGAN2Config) -> AveragedMapping:
    """The kind of mapping that the config names, with fresh weights."""
    from latentfu_builtin.networks.stylegan.wplusplus.mapping import AttentionMapping

    if config.mapping == "attention":
        return AttentionMapping(config)
    return JoinedMapping(config) if config.mapping == "joined" else Mapping(config)
