"""What the networks and generators of the StyleGAN family have in common.

`MappedNetwork` goes from z to one style per layer, `StyledGenerator` makes a `Generator` of such a
network. An architecture is a package beside this module, named as its files call it, with a
`generator` in it: one subclass of `StyledGenerator`. Nothing else lists it. A network is one
safetensors file: its tensors, and its config as metadata; never a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar, overload

import torch
from latentfu import (
    BadInputError,
    Generator,
    Latent,
    Noise,
    check_cancelled,
    file_sha256,
    read_tensors_and_metadata,
    write_tensors,
)
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import build_fitting
from latentfu_builtin.networks.stylegan.weight_offsets import (
    call_with_offsets,
    find_weight,
    has_own_strengths,
    list_weights,
    split_codes,
    split_noise,
    sum_details,
)

Details = Mapping[int, Tensor]
"""Feature maps [N or 1, C, H, W] by layer, added to what their layers give."""
NO_DETAILS: Details = {}
LEAST_PART = 16
"""A quick picture is at most so many times smaller than the whole."""


class NetworkConfig(Protocol):
    """What every config of the family says."""

    @property
    def z_dim(self) -> int: ...

    @property
    def num_ws(self) -> int: ...

    def to_json(self) -> str: ...


class MappingConfig(Protocol):
    """What a config says of its mapping network."""

    @property
    def z_dim(self) -> int: ...

    @property
    def w_dim(self) -> int: ...

    @property
    def c_dim(self) -> int: ...

    @property
    def mapping_layers(self) -> int: ...

    @property
    def mapping_lr_multiplier(self) -> float: ...


class AveragedMapping(nn.Module):
    """A mapping with the running mean `w_avg` that truncation pulls towards, float32.

    w_avg: [w_dim], or [num_ws, w_dim] where each style has a mean of its own. `z_dim`: the
    numbers that a picture is made of.
    """

    w_avg: Tensor
    z_dim: int
    layers: nn.ModuleList

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """z [N, z_dim], standard normal -> w [N, w_dim] or [N, num_ws, w_dim]."""
        raise NotImplementedError

    @torch.no_grad()
    def track_w_avg(self, w: Tensor, decay: float = 0.998) -> None:
        """Move w_avg towards the mean of a training batch w, as `forward` gives it."""
        self.w_avg.lerp_(w.detach().float().mean(dim=0), 1.0 - decay)

    @torch.no_grad()
    def set_w_avg(self, samples: int = 10_000, seed: int = 0, batch: int = 1000) -> None:
        """Set w_avg to the mean w of `samples` random z (drawn from `seed`)."""
        generator = torch.Generator().manual_seed(seed)
        total = torch.zeros_like(self.w_avg, dtype=torch.float64)
        done = 0
        while done < samples:
            count = min(batch, samples - done)
            z = torch.randn(count, self.z_dim, generator=generator)
            total += self(z.to(self.w_avg.device)).double().sum(dim=0)
            done += count
        self.w_avg.copy_(total / max(done, 1))


class MappedNetwork(nn.Module):
    """A network whose styles come from z through a mapping network with a mean w.

    Attributes:
        architecture: What its files call it.
        metadata: What the file said beside the weights (domain, licence, training).
    """

    architecture: ClassVar[str]
    config: NetworkConfig
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
        return cls(network, name or path.stem, file_sha256(path), known)

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
        if has_own_strengths(latent):
            each = zip(split_codes(latent), split_noise(noise, len(latent)), strict=True)
            parts = [self.render(item, own, wanted) for item, own in each]
            image = torch.cat([part[0] for part in parts])
            kept = {i: torch.cat([part[1][i] for part in parts]) for i in wanted}
        else:
            image, kept = self.draw(latent, noise, wanted)
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


_M = TypeVar("_M", bound=MappedNetwork)


def open_generator_file(architecture: str, path: Path, device: str) -> StyledGenerator:
    """The generator in a weights file of that architecture; BadInputError when it holds none."""
    module = import_module(f"{__package__}.{architecture}.generator")
    for found in vars(module).values():
        is_generator = isinstance(found, type) and issubclass(found, StyledGenerator)
        if is_generator and found.__module__ == module.__name__:
            generator: StyledGenerator = found.open(path, device)
            return generator
    raise LookupError(f"{module.__name__} has no StyledGenerator")


def check_layer_cancelled() -> None:
    """Stop before a layer when nobody waits for the picture any more.

    Raises CancelledError, or what `latentfu.core.progress.cancel_scope` was told to raise. A
    compiled network does not ask: the question would split its graph.
    """
    if not torch.compiler.is_compiling():
        check_cancelled()


def save_network(
    path: Path | str,
    net: MappedNetwork,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a network's weights as `dtype`, with its config and `metadata` (text only)."""
    tensors = {
        name: value.detach().to("cpu", dtype).contiguous()
        for name, value in sorted(net.state_dict().items())
    }
    notes = {"domain": "unknown", "licence": "unknown", **net.metadata, **(metadata or {})}
    notes.update(architecture=net.architecture, config=net.config.to_json())
    write_tensors(path, tensors, notes)


def load_network_as(
    kind: type[_M],
    path: Path | str,
    build: Callable[[str], _M],
    device: torch.device | str = "cpu",
) -> _M:
    """Load the network that a file describes, float32, in evaluation mode, gradients off.

    Args:
        kind: The class of the network.
        path: A safetensors file.
        build: Makes a network from the JSON of its config.
        device: Where to load it.

    Raises:
        ValueError: In one sentence, when the file is of another architecture or a tensor is
            missing, unknown or of a wrong shape.
    """
    tensors, metadata = read_tensors_and_metadata(path)
    if metadata.get("architecture") != kind.architecture or "config" not in metadata:
        raise ValueError(f"{path} holds no {kind.architecture} network")
    net = build_fitting(path, build, metadata["config"], tensors)
    net.load_state_dict({name: value.float() for name, value in tensors.items()})
    net.metadata = metadata
    return net.to(device).eval().requires_grad_(False)
