"""A StyleGAN1 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from pathlib import Path

from latentfu import Latent, SynthesisLayer
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import load_network_as
from latentfu_builtin.networks.stylegan.styled_generator import StyledGenerator
from latentfu_builtin.networks.stylegan.stylegan1.network import (
    StyleGAN1,
    StyleGAN1Config,
    draw_downscaled,
)
from latentfu_builtin.networks.stylegan.weight_offsets import call_with_offsets, has_own_strengths


class StyleGAN1Generator(StyledGenerator):
    """`network` as a Generator; it takes w and w+."""

    family = "StyleGAN"
    network: StyleGAN1

    def __init__(self, network: StyleGAN1, name: str, id: str, domain: str) -> None:
        super().__init__(network, name, id, domain)
        config = network.config
        self.resolution, self.spaces = config.resolution, ("w", "w+")
        self.z_dim, self.w_dim, self.num_ws = config.z_dim, config.w_dim, config.num_ws
        self.label_count = config.c_dim
        self.layers = tuple(
            SynthesisLayer(
                name=f"{config.layer_resolution(i)} px, {'second' if i % 2 else 'first'}",
                resolution=config.layer_resolution(i),
                channels=config.channels[i // 2],
                style=i,
                weight=f"synthesis.convs.{i}.weight" if i else "synthesis.const",
                noise=f"synthesis.convs.{i}.noise_const",
            )
            for i in range(config.num_ws)
        )

    @classmethod
    def load_network(cls, path: Path, device: str) -> StyleGAN1:
        """The network that a file describes; ValueError as `load_network_as` says."""
        return load_network_as(
            StyleGAN1, path, lambda config: StyleGAN1(StyleGAN1Config.from_json(config)), device
        )

    def preview(self, latent: Latent, side: int) -> Tensor:
        """The picture of the first size with ``side`` pixels -> [N, 3, S, S].

        At least a sixteenth of the whole; the layers of larger sizes run at this one.
        """
        if has_own_strengths(latent):
            return self.render(latent)
        size, ws, details = self.quick_size(side), self.styles(latent), self.details(latent)

        def draw(network: StyleGAN1) -> Tensor:
            return draw_downscaled(network.synthesis, ws, size, "const", details)

        return call_with_offsets(self.network, latent.bends, draw, self.name)
