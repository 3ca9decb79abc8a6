"""A StyleGAN1 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import torch
from latentfu import BadInputError, Latent, Noise, SynthesisLayer, weights_id
from torch import Tensor

from latentfu_builtin.networks.stylegan.common import StyledGenerator, load_network_as
from latentfu_builtin.networks.stylegan.stylegan1.config import StyleGAN1Config
from latentfu_builtin.networks.stylegan.stylegan1.downscaled import draw_downscaled
from latentfu_builtin.networks.stylegan.stylegan1.network import StyleGAN1
from latentfu_builtin.networks.stylegan.weight_offsets import (
    call_with_offsets,
    has_own_strengths,
    split_codes,
    split_noise,
)


class StyleGAN1Generator(StyledGenerator):
    """`network` as a Generator; it takes w and w+."""

    family = "StyleGAN"
    network: StyleGAN1

    def __init__(self, network: StyleGAN1, name: str, id: str, domain: str) -> None:
        self.network, self.name, self.id, self.domain = network, name, id, domain
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

            def draw(network: StyleGAN1) -> tuple[Tensor, dict[int, Tensor]]:
                return network.synthesis(ws, noise, wanted, details)  # type: ignore[no-any-return]

            image, kept = call_with_offsets(self.network, latent.bends, draw, self.name)
        return image if features is None else (image, kept)

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

    def mix(self, a: Latent, b: Latent, layers: range, mask: Tensor | None = None) -> Tensor:
        """B's styles in `layers` inside the mask (everywhere for None) -> [N, 3, R, R]."""
        ws, details = (self.styles(a), self.styles(b)), (self.details(a), self.details(b))
        if not set(layers) <= set(range(self.num_ws)):
            raise BadInputError(f"Layers to mix must lie in 0..{self.num_ws - 1}.")
        inside = torch.ones(1, 1, 1, 1, device=self.device) if mask is None else mask

        def draw(network: StyleGAN1) -> Tensor:
            return network.synthesis.mix(ws, layers, inside, details)

        return call_with_offsets(self.network, a.bends, draw, self.name)


def open_stylegan1(path: Path, device: str = "cpu") -> StyleGAN1Generator:
    """The generator in a weights file; raises BadInputError when it holds none."""
    try:
        network = load_network_as(
            StyleGAN1, path, lambda c: StyleGAN1(StyleGAN1Config.from_json(c)), device
        )
    except ValueError as error:
        raise BadInputError(f"The weights cannot be used: {error}.") from error
    domain = network.metadata.get("domain", "unknown")
    return StyleGAN1Generator(network, path.stem, weights_id(path), domain)
