"""A StyleGAN3 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from pathlib import Path

from latentfu import Latent, Noise, SynthesisLayer
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import load_network_as
from latentfu_builtin.networks.stylegan.styled_generator import StyledGenerator
from latentfu_builtin.networks.stylegan.stylegan3.network import StyleGAN3, StyleGAN3Config
from latentfu_builtin.networks.stylegan.weight_offsets import call_with_offsets


class StyleGAN3Generator(StyledGenerator):
    """`network` as a Generator; it has no noise, and takes w and w+."""

    family = "StyleGAN3"
    network: StyleGAN3

    def __init__(self, network: StyleGAN3, name: str, id: str, domain: str) -> None:
        super().__init__(network, name, id, domain)
        config = network.config
        self.resolution, self.spaces = config.resolution, ("w", "w+")
        self.z_dim, self.w_dim, self.num_ws = config.z_dim, config.w_dim, config.num_ws
        self.label_count = config.c_dim
        self.layers = tuple(
            SynthesisLayer(
                name=f"layer {place}, {one.out_size[0]} samples",
                resolution=one.out_size[0],
                channels=one.out_channels,
                style=place + 1,
                weight=f"synthesis.layers.{place}.weight",
            )
            for place, one in enumerate(config.layers)
        )

    @classmethod
    def load_network(cls, path: Path, device: str) -> StyleGAN3:
        """The network that a file describes; ValueError as `load_network_as` says."""
        return load_network_as(
            StyleGAN3, path, lambda config: StyleGAN3(StyleGAN3Config.from_json(config)), device
        )

    def rendering_bytes(self) -> int:
        """About what one picture takes: features are largest between the two resamplings.

        Measured on T and R with 512 and 1024 channels: within a fifth.
        """
        weights = sum(tensor.numel() * tensor.element_size() for tensor in self.weights().values())
        between = (
            one.out_channels * (one.out_size[0] * one.down) * (one.out_size[1] * one.down)
            for one in self.network.config.layers
        )
        return round(2 * weights + 8 * 4 * max(between))

    def draw(
        self, latent: Latent, noise: Noise, features: tuple[int, ...]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Pictures [N, 3, R, R] of codes whose bends act alike, and the wanted features."""
        ws, details = self.styles(latent), self.details(latent)

        def call(network: StyleGAN3) -> tuple[Tensor, dict[int, Tensor]]:
            return network.synthesis(ws, features, details)  # type: ignore[no-any-return]

        return call_with_offsets(self.network, latent.bends, call, self.name)
