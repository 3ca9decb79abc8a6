"""The whole network at a fraction of its size: a quick picture that looks like the large one.

What the toRGB layers have added up to at a quarter of the size is not a picture to show: a trained
network makes most of its colors in the last layers. So these run too, but at the small size,
with kernels shrunk to it: a tap that lies half a small pixel away reads between the pixels, one
that lies a quarter or less away reads the pixel itself. What only the large size can show is lost,
the colors are kept.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from latentfu import Noise
from torch import Tensor

from latentfu_builtin.networks.stylegan.fast_conv import mix_channels
from latentfu_builtin.networks.stylegan.layers import LRELU_GAIN, LRELU_SLOPE
from latentfu_builtin.networks.stylegan.mapped_network import Details, check_layer_cancelled
from latentfu_builtin.networks.stylegan.stylegan2.layers import NoisyConv
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Synthesis, SynthesisState

AS_ONE = 0.25
"""Taps that lie no further apart, in pixels, are read as one."""


def downscaled_step(  # noqa: PLR0917 - the same as Synthesis.step
    synthesis: Synthesis,
    i: int,
    state: SynthesisState,
    ws: Tensor,
    noise: Noise,
    details: Details,
) -> SynthesisState:
    """Layer i without growing: features [1, C, S, S] -> [1, C', S, S], and its part of the picture.

    ws: [1, num_ws, w_dim]. Noise and details are averaged down to S.
    """
    check_layer_cancelled()
    conv: NoisyConv = synthesis.convs[i]  # type: ignore[assignment]
    size = state.x.shape[-1]
    x = _downscaled_conv(conv, state.x, ws[:, i])  # [1, C', S, S]
    grain = conv.noise_map(noise, i, state.x)
    if grain is not None:
        x = x + F.adaptive_avg_pool2d(grain * LRELU_GAIN, size).to(x)
    x = synthesis.clamp_features(F.leaky_relu(x, LRELU_SLOPE))
    if i in details:
        x = x + F.adaptive_avg_pool2d(details[i], size).to(x)
    if i % 2:
        return SynthesisState(x, state.rgb, i + 1)
    part = synthesis.to_rgb(i, x, ws[:, i + 1])  # [1, 3, S, S]
    return SynthesisState(x, part if state.rgb is None else state.rgb + part, i + 1)


def _downscaled_conv(conv: NoisyConv, x: Tensor, w: Tensor) -> Tensor:
    """x [1, inputs, S, S], w [1, w_dim] -> [1, outputs, S, S], with the bias."""
    distance = x.shape[-1] / conv.resolution
    modulation, demodulation = conv.modulation(w)
    kernel = conv.weight_cache.get(
        f"downscaled {distance}", conv.weight, lambda k: shrink_kernel(k, distance)
    )
    out_scale = (demodulation[0] * LRELU_GAIN)[:, None, None, None]
    weight = kernel * out_scale * modulation[0][:, None, None]  # [outputs, inputs, k, k]
    weight = weight.to(x.dtype, memory_format=torch.channels_last)
    bias = (conv.bias * LRELU_GAIN).to(x.dtype)
    if weight.shape[2] == 1 and torch.is_grad_enabled():
        return mix_channels(x, weight, bias)
    return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)


def shrink_kernel(kernel: Tensor, distance: float) -> Tensor:
    """A kernel [O, I, 3, 3] whose taps lie `distance` (0..1) pixels apart, read bilinearly.

    [O, I, 1, 1] where they all lie within a quarter of a pixel.
    """
    if distance <= AS_ONE:
        return kernel.sum(dim=(2, 3), keepdim=True)
    taps = kernel.new_tensor(
        [[distance, 0.0, 0.0], [1.0 - distance, 1.0, 1.0 - distance], [0.0, 0.0, distance]]
    )
    return torch.einsum("oiab,ca,db->oicd", kernel, taps, taps)
