"""Style mixing inside a mask: one synthesis run, two sets of styles, blended at every layer.

Pasting a mixed picture into another leaves a seam where their shapes disagree. Here both sets
of styles act on the same features, and the result is blended by the mask before the next layer
sees it, so that the following convolutions draw across the border.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from latentfu import Noise
from torch import Tensor

from latentfu_builtin.networks.stylegan.mapped_network import (
    NO_DETAILS,
    Details,
    check_layer_cancelled,
)
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Synthesis, SynthesisState


def mix_styles(
    synthesis: Synthesis,
    ws_a: Tensor,
    ws_b: Tensor,
    layers: Iterable[int],
    mask: Tensor,
    *,
    noise: Noise = "const",
    details: tuple[Details, Details] = (NO_DETAILS, NO_DETAILS),
) -> Tensor:
    """Draw the picture [N, 3, R, R] with A's styles, and with B's for `layers` where the mask is 1.

    ws_a, ws_b: [N, num_ws, w_dim]. layers: indices into ws; the toRGB of a size counts under
    the style that it reads. mask: [N or 1, 1, H, W] in 0..1, of any size.
    A mask of zeros gives A bit for bit; a mask of ones gives the plain style mix of the two bit
    for bit, and so B itself when `layers` is all of them.
    """
    synthesis.check(ws_a)
    synthesis.check(ws_b)
    chosen = set(layers)
    if not chosen <= set(range(synthesis.config.num_ws)):
        raise ValueError(f"layers to mix must lie in 0..{synthesis.config.num_ws - 1}")
    if mask.ndim != 4 or mask.shape[1] != 1:
        raise ValueError(f"a mask must have the shape [N, 1, H, W], not {list(mask.shape)}")
    mask = mask.to(ws_a).clamp(0.0, 1.0)
    state = synthesis.start(ws_a.shape[0])
    for i in range(synthesis.config.num_layers):
        state = _mix_step(
            synthesis, i, state, ws_a, ws_b, chosen, mask=mask, noise=noise, details=details
        )
    return synthesis.finish(state)


def _mix_step(  # noqa: PLR0917 - the two style sets and where they act
    synthesis: Synthesis,
    i: int,
    state: SynthesisState,
    ws_a: Tensor,
    ws_b: Tensor,
    layers: set[int],
    *,
    mask: Tensor,
    noise: Noise = "const",
    details: tuple[Details, Details] = (NO_DETAILS, NO_DETAILS),
) -> SynthesisState:
    """Layer i with both sets of styles and details, blended by the mask; toRGB likewise."""
    check_layer_cancelled()
    noise = _shared_noise(synthesis, i, state, noise)
    x = synthesis.features(i, state.x, ws_a[:, i], noise)  # [N, C, R, R]
    if i in details[0]:
        x = x + details[0][i].to(x)
    small = F.interpolate(mask, size=x.shape[-2:], mode="area")  # [N or 1, 1, R, R]
    if i in layers:
        other = synthesis.features(i, state.x, ws_b[:, i], noise)
        if i in details[1]:
            other = other + details[1][i].to(x)
        x = torch.lerp(x, other, small.to(x.dtype))
    if i % 2:
        return SynthesisState(x, state.rgb, i + 1)
    part = synthesis.to_rgb(i, x, ws_a[:, i + 1])  # [N, 3, R, R]
    if i + 1 in layers:
        part = torch.lerp(part, synthesis.to_rgb(i, x, ws_b[:, i + 1]), small.to(part.dtype))
    return SynthesisState(x, synthesis.add_rgb(state.rgb, part), i + 1)


def _shared_noise(synthesis: Synthesis, i: int, state: SynthesisState, noise: Noise) -> Noise:
    """Random noise drawn once for layer i, so that A and B do not differ by it."""
    if noise != "random":
        return noise
    size = synthesis.config.layer_resolution(i)
    return {i: torch.randn(state.x.shape[0], 1, size, size, device=state.x.device)}
