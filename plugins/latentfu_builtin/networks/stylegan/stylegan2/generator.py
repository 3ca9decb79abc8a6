"""A StyleGAN2 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from pathlib import Path

import torch
from latentfu import BadInputError, Latent, Noise, SynthesisLayer, quick_dtype
from torch import Tensor

from latentfu_builtin.networks.stylegan.styled_generator import StyledGenerator
from latentfu_builtin.networks.stylegan.stylegan2.incremental import (
    IncrementalRenderer,
    can_render_incrementally,
)
from latentfu_builtin.networks.stylegan.stylegan2.network import StyleGAN2, load_network
from latentfu_builtin.networks.stylegan.stylegan2.quick_search import QuickSearchRenderer
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import mix_styles
from latentfu_builtin.networks.stylegan.weight_offsets import call_with_offsets, draw_each_code


class StyleGAN2Generator(StyledGenerator):
    """`network` as a Generator; `id` is the sha256 (hex) of its weights file."""

    family = "StyleGAN2"
    network: StyleGAN2

    def __init__(self, network: StyleGAN2, name: str, id: str, domain: str) -> None:
        super().__init__(network, name, id, domain)
        self.incremental = IncrementalRenderer(network, name)
        self.quick: IncrementalRenderer | None = None
        self.quick_search: QuickSearchRenderer | None = None
        config = network.config
        self.resolution = config.resolution
        self.spaces = ("w++",) if config.mapping == "attention" else ("w", "w+")
        self.z_dim = config.z_numbers
        self.w_dim = config.w_dim
        self.num_ws = config.num_ws
        self.label_count = config.c_dim
        self.layers = tuple(
            SynthesisLayer(
                name=f"{config.layer_resolution(i)} px, {'first' if i % 2 else 'second'}",
                resolution=config.layer_resolution(i),
                channels=config.layer_channels(i),
                style=i,
                weight=f"synthesis.convs.{i}.weight",
                noise=f"synthesis.convs.{i}.noise_const",
            )
            for i in range(config.num_layers)
        )

    @classmethod
    def load_network(cls, path: Path, device: str) -> StyleGAN2:
        """The network that a file describes; ValueError as `load_network_as` says."""
        return load_network(path, device)

    def draw(
        self, latent: Latent, noise: Noise, features: tuple[int, ...]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Pictures [N, 3, R, R]; what the last picture shares with this one is not drawn again."""
        ws, details = self.styles(latent), self.details(latent)
        if not features and can_render_incrementally(latent, noise):
            return self.incremental.render(latent, ws, details, noise), {}

        def call(network: StyleGAN2) -> tuple[Tensor, dict[int, Tensor]]:
            if features:
                return network.synthesis(ws, noise=noise, features=features, details=details)  # type: ignore[no-any-return]
            return network.synthesis(ws, noise=noise, details=details), {}

        return call_with_offsets(self.network, latent.bends, call, self.name)

    def preview(self, latent: Latent, side: int) -> Tensor:
        """The picture of the first size with ``side`` pixels -> [N, 3, S, S].

        At least a sixteenth of the whole; the layers of larger sizes run at this one.
        """
        place = self.network.config.resolutions.index(self.quick_size(side))
        if not can_render_incrementally(latent, "const"):
            return self._preview_for_search(latent, 2 * place)
        if self.quick is None:
            self.quick = IncrementalRenderer(
                self.network, self.name, quick_dtype(self.device), cache_kernels=True
            )
        ws, details = self.styles(latent), self.details(latent)
        return self.quick.render(latent, ws, details, "const", last=2 * place)

    def _preview_for_search(self, latent: Latent, last: int) -> Tensor:
        """Several codes, or one that gradients are asked for."""
        if self.quick_search is None:
            self.quick_search = QuickSearchRenderer(
                self.network, self.name, quick_dtype(self.device)
            )
        renderer = self.quick_search

        def draw(
            part: Latent, _noise: Noise, _features: tuple[int, ...]
        ) -> tuple[Tensor, dict[int, Tensor]]:
            return renderer.render(part, self.styles(part), self.details(part), last), {}

        return draw_each_code(latent, "const", (), draw)[0]

    def mix(self, a: Latent, b: Latent, layers: range, mask: Tensor | None = None) -> Tensor:
        """B's styles in `layers` inside the mask (everywhere for None) -> [N, 3, R, R].

        The weights are bent as A asks; B's details come with its styles.
        """
        ws_a, ws_b = self.styles(a), self.styles(b)
        both = self.details(a), self.details(b)
        inside = torch.ones(1, 1, 1, 1, device=self.device) if mask is None else mask
        try:
            return call_with_offsets(
                self.network,
                a.bends,
                lambda network: mix_styles(
                    network.synthesis, ws_a, ws_b, layers, inside, details=both
                ),
                self.name,
            )
        except ValueError as error:
            raise BadInputError(f"The pictures cannot be mixed: {error}.") from error
