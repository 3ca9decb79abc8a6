"""What the generators of the StyleGAN family have in common: z to w+, checks, weights by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from latentfu import BadInputError, Generator, Latent, file_sha256, find_metadata
from torch import Tensor

from latentfu_builtin.networks.stylegan.weight_offsets import (
    details_by_layer,
    parameter_of,
    weights_of,
)

if TYPE_CHECKING:
    from latentfu.core.generator import Noise

    from latentfu_builtin.networks.stylegan.mapped_network import MappedNetwork

LEAST_PART = 16
"""A quick picture is at most so many times smaller than the whole."""


class StyledGenerator(Generator):
    """A network of the family as a Generator, but for rendering and mixing.

    `id` is the sha256 (hex) of its weights file. `label_count`: labels of a conditional network.
    """

    network: MappedNetwork
    label_count: int

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.mapping.w_avg.device

    def map(
        self,
        z: Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: Tensor | None = None,
    ) -> Latent:
        """z [N, z_dim] -> codes [N, num_ws, w_dim] in w+, or in w++ (each style of its own z).

        labels: [N, c_dim], of a conditional network; None for its first label.
        """
        labels = self.checked_labels(labels, len(z))
        try:
            ws = self.network.map(z.to(self.device), psi, cutoff, labels)
            return Latent(ws, self.spaces[-1], self.id)
        except ValueError as error:
            raise BadInputError(f"The latent does not fit {self.name}: {error}.") from error

    def quick_size(self, side: int) -> int:
        """The first size of the network's layers with ``side`` pixels, a sixteenth at least."""
        enough = max(min(side, self.resolution), self.resolution // LEAST_PART)
        return min(one.resolution for one in self.layers if one.resolution >= enough)

    def checked_labels(self, labels: Tensor | None, n: int) -> Tensor | None:
        """The labels on the network's device; BadInputError when it takes none or others."""
        if labels is None:
            return None
        count = self.label_count
        if count == 0:
            raise BadInputError(f"The generator {self.name} has no labels: leave them out.")
        if tuple(labels.shape) != (n, count):
            raise BadInputError(
                f"The labels are {list(labels.shape)}; {self.name} takes [{n}, {count}]."
            )
        return labels.to(self.device)

    def parameter(self, name: str) -> Tensor:
        """The weights of that name, e.g. synthesis.convs.3.weight [out, in, 3, 3]."""
        return parameter_of(self.network, name, self.name)

    def weights(self) -> dict[str, Tensor]:
        """All parameters and buffers of the network by name."""
        return weights_of(self.network)

    def details(self, latent: Latent) -> dict[int, Tensor]:
        """The latent's details by layer, checked against what the layers give."""
        shapes = {
            place: (layer.channels, layer.resolution, layer.resolution)
            for place, layer in enumerate(self.layers)
        }
        return details_by_layer(latent, shapes, self.name)

    def noise(self, noise: Noise, n: int) -> Noise:
        """The noise for n codes, checked; maps as float32 on the network's device.

        BadInputError for another word, a layer without noise, or a map of another shape.
        """
        if isinstance(noise, str):
            if noise not in ("const", "random", "none"):
                raise BadInputError(
                    f"The noise can be const, random, none or maps by layer, not {noise!r}."
                )
            return noise
        return {place: self.noise_map(place, value, n) for place, value in noise.items()}

    def noise_map(self, place: int, value: Tensor, n: int) -> Tensor:
        """One layer's map [N or 1, 1, R, R], checked."""
        if place not in range(len(self.layers)) or not self.layers[place].noise:
            raise BadInputError(f"The generator {self.name} has no noise in a layer {place}.")
        side = self.layers[place].resolution
        if tuple(value.shape[1:]) != (1, side, side) or len(value) not in (1, n):
            raise BadInputError(
                f"A noise map has the shape {list(value.shape)}; layer {place} of {self.name} "
                f"takes [{n}, 1, {side}, {side}]."
            )
        return value.to(self.device, torch.float32)

    def mean_latent(self) -> Latent:
        """The mean w for every layer, [1, num_ws, w_dim]."""
        mean = self.network.broadcast(self.network.mapping.w_avg[None])
        return Latent(mean, self.spaces[-1], self.id)

    def styles(self, latent: Latent) -> Tensor:
        """The latent as one style per layer; refuses foreign latents and spaces."""
        latent.check_generator(self.id)
        if latent.space not in self.spaces:
            taken = " and ".join(self.spaces)
            raise BadInputError(f"The generator {self.name} takes {taken}, not {latent.space}.")
        codes = latent.codes.to(self.device)
        codes = self.network.broadcast(codes) if latent.space == "w" else codes
        if tuple(codes.shape[1:]) != (self.num_ws, self.w_dim):
            raise BadInputError(
                f"The latent is {list(codes.shape)}; {self.name} takes "
                f"[N, {self.num_ws}, {self.w_dim}]."
            )
        return codes


def weights_id(path: Path) -> str:
    """sha256 (hex) of a weights file, computed again only when the file changes."""
    return file_sha256(path)


def architecture_of(path: Path) -> str:
    """What a weights file says of itself; empty for any other file."""
    return find_metadata(path).get("architecture", "")
