"""A StyleGAN3 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import torch
from latentfu import BadInputError, Latent, Noise, SynthesisLayer, weights_id
from torch import Tensor

from latentfu_builtin.networks.stylegan.common import StyledGenerator, load_network_as
from latentfu_builtin.networks.stylegan.stylegan3.config import StyleGAN3Config
from latentfu_builtin.networks.stylegan.stylegan3.network import StyleGAN3
from latentfu_builtin.networks.stylegan.weight_offsets import (
    call_with_offsets,
    has_own_strengths,
    split_codes,
    split_noise,
)


class StyleGAN3Generator(StyledGenerator):
    """`network` as a Generator; it has no noise, and takes w and w+."""

    family = "StyleGAN3"
    network: StyleGAN3

    def __init__(self, network: StyleGAN3, name: str, id: str, domain: str) -> None:
        self.network, self.name, self.id, self.domain = network, name, id, domain
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

    @overload
    def render(self, latent: Latent, noise: Noise = ..., features: None = None) -> Tensor: ...

    @overload
    def render(
        self, latent: Latent, noise: Noise, features: Sequence[int]
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def render(
        self, latent: Latent, noise: Noise = "const", features: Sequence[int] | None = None
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """Codes in w [N, w_dim] or w+ [N, num_ws, w_dim] -> pictures [N, 3, R, R]."""
        wanted = tuple(features or ())
        noise = self.noise(noise, len(latent))
        if has_own_strengths(latent):
            each = zip(split_codes(latent), split_noise(noise, len(latent)), strict=True)
            parts = [self.render(item, own, wanted) for item, own in each]
            image = torch.cat([part[0] for part in parts])
            kept = {i: torch.cat([part[1][i] for part in parts]) for i in wanted}
        else:
            ws, details = self.styles(latent), self.details(latent)

            def draw(network: StyleGAN3) -> tuple[Tensor, dict[int, Tensor]]:
                return network.synthesis(ws, wanted, details)  # type: ignore[no-any-return]

            image, kept = call_with_offsets(self.network, latent.bends, draw, self.name)
        return image if features is None else (image, kept)

    def mix(self, a: Latent, b: Latent, layers: range, mask: Tensor | None = None) -> Tensor:
        """B's styles in `layers` inside the mask (everywhere for None) -> [N, 3, R, R].

        The weights are bent as A asks; B's details come with its styles.
        """
        ws, details = (self.styles(a), self.styles(b)), (self.details(a), self.details(b))
        if not set(layers) <= set(range(self.num_ws)):
            raise BadInputError(f"Layers to mix must lie in 0..{self.num_ws - 1}.")
        inside = torch.ones(1, 1, 1, 1, device=self.device) if mask is None else mask

        def draw(network: StyleGAN3) -> Tensor:
            return network.synthesis.mix(ws, layers, inside, details)

        return call_with_offsets(self.network, a.bends, draw, self.name)


def open_stylegan3(path: Path, device: str = "cpu") -> StyleGAN3Generator:
    """The generator in a weights file; raises BadInputError when it holds none."""
    try:
        network = load_network_as(
            StyleGAN3, path, lambda c: StyleGAN3(StyleGAN3Config.from_json(c)), device
        )
    except ValueError as error:
        raise BadInputError(f"The weights cannot be used: {error}.") from error
    domain = network.metadata.get("domain", "unknown")
    return StyleGAN3Generator(network, path.stem, weights_id(path), domain)
