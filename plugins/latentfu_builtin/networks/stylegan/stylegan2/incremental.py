"""Rendering again from the first layer that a change touches.

While a person moves a slider the same picture is rendered over and over: a deformation leaves all
before its layer as it was, and so do a direction of late styles and a detail of a late layer. The
states before each layer of the last picture are kept, and the next one begins where it differs.
The result is that of rendering from the start, bit by bit: the same steps on the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from latentfu import FeatureOffset, Latent, Noise, WeightOffset
from torch import Tensor

from latentfu_builtin.networks.stylegan.stylegan2.downscaled import downscaled_step
from latentfu_builtin.networks.stylegan.stylegan2.network import StyleGAN2
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import SynthesisState
from latentfu_builtin.networks.stylegan.torch_compat import change_count, is_wrapped
from latentfu_builtin.networks.stylegan.weight_offsets import call_with_offsets

MOST_BYTES = 256 << 20
"""States are kept up to this size, the first layers first."""

_Offsets = tuple[tuple[WeightOffset, int], ...]
_Details = tuple[tuple[FeatureOffset, int], ...]


@dataclass(frozen=True)
class LastPicture:
    """The last picture: what it was made of, and ``states[i]``, the state before layer i.

    ``last``: the last layer that grew. With each offset and detail stands how often its tensor had
    been changed in place; ``versions``: the same of the network's own.
    """

    ws: Tensor
    offsets: _Offsets
    details: _Details
    noise: Noise
    versions: tuple[int, ...]
    states: list[SynthesisState]
    last: int


class IncrementalRenderer:
    """Renders one code at a time; ``computed`` counts the layers that were really computed.

    ``dtype``: what the features are computed in. ``cache_kernels``: whether the network may take
    more memory (twice the weights of the middle layers) for speed.
    """

    def __init__(
        self,
        network: StyleGAN2,
        name: str,
        dtype: torch.dtype = torch.float32,
        cache_kernels: bool = False,
    ) -> None:
        self.network, self.name = network, name
        self.dtype, self.cache_kernels = dtype, cache_kernels
        self.kept: LastPicture | None = None
        self.computed = 0

    def render(
        self,
        latent: Latent,
        ws: Tensor,
        details: Mapping[int, Tensor],
        noise: Noise,
        last: int | None = None,
    ) -> Tensor:
        """The picture ``[1, 3, R, R]`` of ``latent``: its styles ``ws``, details summed.

        ``last``: the last layer that grows (even, the second of its size; None for all): those
        after it run at its size, which is then that of the picture.
        """
        last = self.network.config.num_layers - 1 if last is None else last
        versions = tuple(change_count(t) for t in self.network.synthesis.state_dict().values())
        kept = self.kept
        first = 0
        if kept is not None and kept.noise == noise and kept.versions == versions:
            first = min(_first_change(kept, latent, ws), len(kept.states) - 1)
            if kept.last != last:
                first = min(first, kept.last + 1, last + 1)
        states = [] if kept is None else kept.states[:first]

        def draw(network: StyleGAN2) -> Tensor:
            synthesis = network.synthesis
            state = synthesis.start(len(ws), self.dtype)
            if kept is not None and first:
                state = kept.states[first]
            room = MOST_BYTES - sum(map(_bytes_of, states))
            for layer in range(first, self.network.config.num_layers):
                room -= _bytes_of(state)
                if len(states) == layer and (room >= 0 or layer == 0):
                    states.append(state)
                whole = partial(synthesis.step, cache_kernels=self.cache_kernels)
                step = whole if layer <= last else partial(downscaled_step, synthesis)
                state = step(layer, state, ws, noise, details)
                self.computed += 1
            return synthesis.finish(state)

        image = call_with_offsets(self.network, latent.bends, draw, self.name)
        self.kept = LastPicture(ws.clone(), *_with_versions(latent), noise, versions, states, last)
        return image


def can_render_incrementally(latent: Latent, noise: Noise) -> bool:
    """Whether a picture is one of those that are rendered again and again: one, no gradients."""
    return (
        len(latent) == 1
        and noise in ("const", "none")
        and not torch.is_grad_enabled()
        and not torch.is_inference_mode_enabled()
        and not torch.is_autocast_enabled(latent.codes.device.type)
        and all(_is_plain(tensor) for tensor in (latent.codes, *_added_tensors(latent)))
    )


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is its own: no stand-in of a function transform, no inference tensor."""
    return not tensor.is_inference() and not is_wrapped(tensor)


def _added_tensors(latent: Latent) -> list[Tensor]:
    """The tensors of a latent's bends and details."""
    return [bend.shift for bend in latent.bends] + [detail.delta for detail in latent.details]


def _with_versions(latent: Latent) -> tuple[_Offsets, _Details]:
    """_Offsets and details with the versions of their tensors."""
    bends = tuple((bend, change_count(bend.shift)) for bend in latent.bends)
    return bends, tuple((detail, change_count(detail.delta)) for detail in latent.details)


def _bytes_of(state: SynthesisState) -> int:
    """Bytes of a state."""
    return sum(t.numel() * t.element_size() for t in (state.x, state.rgb) if t is not None)


def _first_change(kept: LastPicture, latent: Latent, ws: Tensor) -> int:
    """The first layer that gives something else than it did; a large number for none."""
    if kept.ws.shape != ws.shape or kept.ws.device != ws.device:
        return 0
    never = int(ws.shape[1])
    other = (kept.ws != ws).any(dim=2)[0].nonzero()[:, 0].tolist()
    # The picture's part of a size is made after its even layer, with the next layer's style.
    layers = [i if i % 2 == 0 else i - 1 for i in other]
    offsets, details = _with_versions(latent)
    layers += [_first_layer_of(p) for p in _changed_offsets(kept.offsets, offsets)]
    layers += _changed_details(kept.details, details)
    return min(layers, default=never)


def _first_layer_of(parameter: str) -> int:
    """The first layer that a weight acts in."""
    found = re.match(r"synthesis\.(convs|rgbs)\.(\d+)\.", parameter)
    if found is None:
        return 0
    return int(found[2]) * (2 if found[1] == "rgbs" else 1)


def _changed_offsets(before: _Offsets, after: _Offsets) -> set[str]:
    """The parameters that are bent otherwise."""
    names = {bend.parameter for bend, _ in (*before, *after)}
    return {name for name in names if not _same_offsets(name, before, after)}


def _same_offsets(name: str, before: _Offsets, after: _Offsets) -> bool:
    """Whether one parameter is bent by the same tensors as often, in the same order."""
    one = [entry for entry in before if entry[0].parameter == name]
    other = [entry for entry in after if entry[0].parameter == name]
    return len(one) == len(other) and all(
        a.shift is b.shift
        and a_version == b_version
        and isinstance(a.strength, (int, float))
        and isinstance(b.strength, (int, float))
        and a.strength == b.strength
        for (a, a_version), (b, b_version) in zip(one, other, strict=True)
    )


def _changed_details(before: _Details, after: _Details) -> list[int]:
    """The layers that get other details."""
    layers = {detail.layer for detail, _ in (*before, *after)}

    def of(details: _Details, layer: int) -> list[tuple[int, int]]:
        return [(id(one.delta), version) for one, version in details if one.layer == layer]

    return [layer for layer in layers if of(before, layer) != of(after, layer)]
