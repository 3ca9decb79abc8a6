"""A network of the StyleGAN family as a Generator.

An architecture is a package beside this module, named as its files call it, with a `generator` in
it: one subclass of `StyledGenerator`. Nothing else lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Self, overload

import torch
from latentfu import BadInputError, Generator, Latent, Noise, weights_id
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import MappedNetwork
from latentfu_builtin.networks.stylegan.weight_offsets import (
    call_with_offsets,
    draw_each_code,
    find_weight,
    list_weights,
    sum_details,
)

LEAST_PART = 16
"""A quick picture is at most so many times smaller than the whole."""


class StyledGenerator(Generator):
    """A network of the family as a Generator.

    `id` is the sha256 (hex) of its weights file. `label_count`: labels of a conditional network.
    A subclass says how its files are loaded (`load_network`) and, where its synthesis takes other
    arguments than (ws, noise, features, details) and mixes otherwise, how it draws and mixes.
    """

    network: MappedNetwork
    label_count: int

    def __init__(self, network: MappedNetwork, name: str, id: str, domain: str) -> None:
        self.network, self.name, self.id, self.domain = network, name, id, domain

    @classmethod
    def open(
        cls, path: Path, device: str = "cpu", name: str | None = None, domain: str | None = None
    ) -> Self:
        """The generator in a weights file, named as the file; BadInputError when it holds none."""
        try:
            network = cls.load_network(path, device)
        except ValueError as error:
            raise BadInputError(f"The weights cannot be used: {error}.") from error
        known = domain or network.metadata.get("domain", "unknown")
        return cls(network, name or path.stem, weights_id(path), known)

    @classmethod
    def load_network(cls, path: Path, device: str) -> MappedNetwork:
        """The network that a file describes; ValueError as `load_network_as` says."""
        raise NotImplementedError

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
        wanted = tuple(features or ())
        noise = self.noise(noise, len(latent))
        image, kept = draw_each_code(latent, noise, wanted, self.draw)
        return image if features is None else (image, kept)

    def draw(
        self, latent: Latent, noise: Noise, features: tuple[int, ...]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Pictures [N, 3, R, R] of codes whose bends act alike, and the wanted features."""
        ws, details = self.styles(latent), self.details(latent)

        def call(network: MappedNetwork) -> tuple[Tensor, dict[int, Tensor]]:
            return network.synthesis(ws, noise, features, details)  # type: ignore[operator, no-any-return]

        return call_with_offsets(self.network, latent.bends, call, self.name)

    def mix(self, a: Latent, b: Latent, layers: range, mask: Tensor | None = None) -> Tensor:
        """B's styles in `layers` inside the mask (everywhere for None) -> [N, 3, R, R].

        The weights are bent as A asks; B's details come with its styles.
        """
        ws, details = (self.styles(a), self.styles(b)), (self.details(a), self.details(b))
        if not set(layers) <= set(range(self.num_ws)):
            raise BadInputError(f"Layers to mix must lie in 0..{self.num_ws - 1}.")
        inside = torch.ones(1, 1, 1, 1, device=self.device) if mask is None else mask

        def call(network: MappedNetwork) -> Tensor:
            mixed: Tensor = network.synthesis.mix(ws, layers, inside, details)  # type: ignore[operator, union-attr]
            return mixed

        return call_with_offsets(self.network, a.bends, call, self.name)

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
        return find_weight(self.network, name, self.name)

    def weights(self) -> dict[str, Tensor]:
        """All parameters and buffers of the network by name."""
        return list_weights(self.network)

    def details(self, latent: Latent) -> dict[int, Tensor]:
        """The latent's details by layer, checked against what the layers give."""
        shapes = {
            place: (layer.channels, layer.resolution, layer.resolution)
            for place, layer in enumerate(self.layers)
        }
        return sum_details(latent, shapes, self.name)

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


def open_generator_file(architecture: str, path: Path, device: str) -> StyledGenerator:
    """The generator in a weights file of that architecture; BadInputError when it holds none."""
    module = import_module(f"{__package__}.{architecture}.generator")
    for found in vars(module).values():
        is_generator = isinstance(found, type) and issubclass(found, StyledGenerator)
        if is_generator and found.__module__ == module.__name__:
            generator: StyledGenerator = found.open(path, device)
            return generator
    raise LookupError(f"{module.__name__} has no StyledGenerator")
