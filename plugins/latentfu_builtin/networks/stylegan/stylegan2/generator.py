"""A StyleGAN2 network as the generator that the rest of Latent-Fu works with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast, overload

import torch
from latentfu import BadInputError, Latent, Noise, SynthesisLayer, quick_dtype, weights_id
from torch import Tensor

from latentfu_builtin.networks.stylegan.common import StyledGenerator
from latentfu_builtin.networks.stylegan.stylegan2.incremental import (
    IncrementalRenderer,
    can_render_incrementally,
)
from latentfu_builtin.networks.stylegan.stylegan2.mixing import mix_styles
from latentfu_builtin.networks.stylegan.stylegan2.network import StyleGAN2, load_network
from latentfu_builtin.networks.stylegan.weight_offsets import (
    call_with_offsets,
    has_own_strengths,
    split_codes,
    split_noise,
)


class StyleGAN2Generator(StyledGenerator):
    """`network` as a Generator; `id` is the sha256 (hex) of its weights file."""

    family = "StyleGAN2"
    network: StyleGAN2

    def __init__(self, network: StyleGAN2, name: str, id: str, domain: str) -> None:
        self.network = network
        self.incremental = IncrementalRenderer(network, name)
        self.quick: IncrementalRenderer | None = None
        self.name = name
        self.id = id
        self.domain = domain
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

    @overload
    def render(self, latent: Latent, noise: Noise = ..., features: None = None) -> Tensor: ...

    @overload
    def render(
        self, latent: Latent, noise: Noise, features: Sequence[int]
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def render(
        self, latent: Latent, noise: Noise = "const", features: Sequence[int] | None = None
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """Codes in w [N, w_dim] or w+ [N, num_ws, w_dim] -> pictures [N, 3, R, R].

        Bends act on any weight of the network by its name; one with a strength for each code
        is rendered code by code.
        """
        noise = self.noise(noise, len(latent))
        if has_own_strengths(latent):
            each = zip(split_codes(latent), split_noise(noise, len(latent)), strict=True)
            parts = [self.render(item, own, features or ()) for item, own in each]
            image = torch.cat([part[0] for part in parts])
            kept = {i: torch.cat([part[1][i] for part in parts]) for i in features or ()}
            return image if features is None else (image, kept)
        ws, details = self.styles(latent), self.details(latent)
        if not features and can_render_incrementally(latent, noise):
            image = self.incremental.render(latent, ws, details, noise)
            return image if features is None else (image, {})

        def draw(network: StyleGAN2) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
            if features:
                return network.synthesis(ws, noise=noise, features=features, details=details)  # type: ignore[no-any-return]
            return network.synthesis(ws, noise=noise, details=details)  # type: ignore[no-any-return]

        drawn = call_with_offsets(self.network, latent.bends, draw, self.name)
        if features is not None and not features:
            return cast("Tensor", drawn), {}
        return drawn

    def preview(self, latent: Latent, side: int) -> Tensor:
        """The picture of the first size with ``side`` pixels -> [N, 3, S, S].

        At least a sixteenth of the whole; the layers of larger sizes run at this one.
        """
        place = self.network.config.resolutions.index(self.quick_size(side))
        if not can_render_incrementally(latent, "const"):
            return self.render(latent)
        if self.quick is None:
            self.quick = IncrementalRenderer(
                self.network, self.name, quick_dtype(self.device), cache_kernels=True
            )
        ws, details = self.styles(latent), self.details(latent)
        return self.quick.render(latent, ws, details, "const", last=2 * place)

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


def open_stylegan2(
    path: Path, device: str = "cpu", name: str | None = None, domain: str | None = None
) -> StyleGAN2Generator:
    """The generator in a weights file; raises BadInputError when it holds none."""
    try:
        network = load_network(path, device)
    except ValueError as error:
        raise BadInputError(f"The weights cannot be used: {error}.") from error
    known = domain or network.metadata.get("domain", "unknown")
    return StyleGAN2Generator(network, name or path.stem, weights_id(path), known)
