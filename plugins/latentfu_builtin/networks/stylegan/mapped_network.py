"""Networks of the StyleGAN family: from z through a mapping to one style per layer.

A network is one safetensors file: its tensors, and its config as metadata; never a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

import torch
from latentfu import check_cancelled, read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import build_fitting

Details = Mapping[int, Tensor]
"""Feature maps [N or 1, C, H, W] by layer, added to what their layers give."""
NO_DETAILS: Details = {}


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


_M = TypeVar("_M", bound=MappedNetwork)


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
