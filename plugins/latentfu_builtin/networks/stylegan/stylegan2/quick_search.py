"""Quick pictures with gradients, for searches that draw the same code again and again.

A search for a detail of one layer changes nothing before it. What comes before is drawn once and
kept, so that each step costs the layers from there on alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from latentfu import Latent
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import Details
from latentfu_builtin.networks.stylegan.stylegan2.downscaled import downscaled_step
from latentfu_builtin.networks.stylegan.stylegan2.network import StyleGAN2
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import SynthesisState
from latentfu_builtin.networks.stylegan.torch_compat import change_count
from latentfu_builtin.networks.stylegan.weight_offsets import call_with_offsets


class _Prefix(NamedTuple):
    """Features x [N, C, R, R] of ``layer`` without its detail, the picture before it, whose."""

    layer: int
    ws: Tensor
    versions: tuple[int, ...]
    x: Tensor
    rgb: Tensor | None


class QuickSearchRenderer:
    """Draws N codes at a fraction of the size, in ``dtype``, with gradients."""

    def __init__(self, network: StyleGAN2, name: str, dtype: torch.dtype) -> None:
        self.network, self.name, self.dtype = network, name, dtype
        self._prefix: _Prefix | None = None

    def render(self, latent: Latent, ws: Tensor, details: Details, last: int) -> Tensor:
        """Pictures [N, 3, S, S] of the styles ws [N, num_ws, w_dim].

        ``last``: the last layer that grows (even); those after it run at its size.
        """

        def draw(network: StyleGAN2) -> Tensor:
            synthesis = network.synthesis
            state = self._begin(network, latent, ws, details, last)
            for layer in range(state.layer, network.config.num_layers):
                if layer <= last:
                    state = synthesis.step(layer, state, ws, "const", details)
                else:
                    state = _downscale_each(network, layer, state, ws, details)
            return synthesis.finish(state)

        return call_with_offsets(self.network, latent.bends, draw, self.name)

    def _begin(
        self, network: StyleGAN2, latent: Latent, ws: Tensor, details: Details, last: int
    ) -> SynthesisState:
        """The state after the layer with the only detail, if nothing before it is looked for."""
        synthesis = network.synthesis
        layer = next(iter(details), 0)
        still = not (ws.requires_grad or latent.bends) and len(details) == 1 and layer <= last
        if not still or not torch.is_grad_enabled():
            return synthesis.start(len(ws), self.dtype)
        versions = tuple(change_count(tensor) for tensor in synthesis.state_dict().values())
        kept = self._prefix
        if (
            kept is None
            or (kept.layer, kept.versions, kept.ws.shape) != (layer, versions, ws.shape)
            or not torch.equal(kept.ws, ws)
        ):
            kept = self._prefix = self._draw_prefix(network, layer, ws, versions)
        return synthesis.complete_step(layer, kept.x, kept.rgb, ws, details)

    @torch.no_grad()
    def _draw_prefix(
        self, network: StyleGAN2, layer: int, ws: Tensor, versions: tuple[int, ...]
    ) -> _Prefix:
        synthesis = network.synthesis
        state = synthesis.start(len(ws), self.dtype)
        for i in range(layer):
            state = synthesis.step(i, state, ws)
        x = synthesis.features(layer, state.x, ws[:, layer])  # [N, C, R, R]
        return _Prefix(layer, ws.detach().clone(), versions, x, state.rgb)


def _downscale_each(
    network: StyleGAN2, layer: int, state: SynthesisState, ws: Tensor, details: Details
) -> SynthesisState:
    """A layer above the size, whose weights are made for one picture at a time."""
    if len(ws) == 1:  # the gradients of a slice are a new tensor, laid out otherwise
        return downscaled_step(network.synthesis, layer, state, ws, "const", details)
    parts = []
    for n in range(len(ws)):
        here = slice(n, n + 1)
        rgb = None if state.rgb is None else state.rgb[here]
        own = {i: value[here] if len(value) > 1 else value for i, value in details.items()}
        one = SynthesisState(state.x[here], rgb, layer)
        parts.append(downscaled_step(network.synthesis, layer, one, ws[here], "const", own))
    rgb = (
        None
        if parts[0].rgb is None
        else torch.cat([part.rgb for part in parts if part.rgb is not None])
    )
    return SynthesisState(torch.cat([part.x for part in parts]), rgb, layer + 1)
