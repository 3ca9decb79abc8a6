"""StyleGAN2's synthesis as the published code computes it, plainly: to measure ours against.

Weights are scaled for each sample and the samples become the groups of one convolution; doubling
the size is a transposed convolution, then the FIR filter as zero-insertion, padding and a
convolution of its own; noise, bias, activation and gain are separate steps. float32, NCHW. Written
for this comparison after arXiv 1912.04958; it reads the weights of our network by name.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FIR = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0


def draw_plainly(synthesis: nn.Module, ws: Tensor) -> Tensor:
    """ws ``[N, num_ws, w_dim]`` -> ``[N, 3, R, R]`` with the network's own noise maps."""
    weights = dict(synthesis.state_dict())
    layers = sum(name.startswith("convs.") and name.endswith(".bias") for name in weights) // 2
    x = weights["const"][None].repeat(len(ws), 1, 1, 1)  # [N, C, 4, 4]
    rgb: Tensor | None = None
    for layer in range(layers):
        x = _apply_layer(weights, f"convs.{layer}", x, ws[:, layer], up=layer % 2 == 1)
        if layer % 2 == 0:
            part = _to_rgb(weights, f"rgbs.{layer // 2}", x, ws[:, layer + 1])  # [N, 3, R, R]
            rgb = part if rgb is None else _upsample(rgb) + part
    assert rgb is not None
    return rgb


def _apply_layer(weights: dict[str, Tensor], name: str, x: Tensor, w: Tensor, up: bool) -> Tensor:
    """One layer: ``[N, I, H, W]`` -> ``[N, O, H or 2H, W or 2W]``."""
    n, inputs, height, width = x.shape
    kernel = weights[f"{name}.weight"][None] * _style(weights, name, w)[:, None, :, None, None]
    kernel = kernel * (kernel.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    outputs = kernel.shape[1]
    x = x.reshape(1, n * inputs, height, width)
    if up:
        turned = kernel.transpose(1, 2).flip(3, 4).reshape(n * inputs, outputs, 3, 3)
        x = F.conv_transpose2d(x, turned, stride=2, groups=n)  # [1, N * O, 2H + 1, 2W + 1]
        x = _filter(x.reshape(n, outputs, 2 * height + 1, 2 * width + 1), padding=1, gain=4.0)
    else:
        x = F.conv2d(x, kernel.reshape(n * outputs, inputs, 3, 3), padding=1, groups=n)
        x = x.reshape(n, outputs, height, width)
    x = x + weights[f"{name}.noise_const"] * weights[f"{name}.noise_strength"]
    x = x + weights[f"{name}.bias"][None, :, None, None]
    return F.leaky_relu(x, 0.2) * math.sqrt(2.0)


def _to_rgb(weights: dict[str, Tensor], name: str, x: Tensor, w: Tensor) -> Tensor:
    """Colors of one size: ``[N, C, H, W]`` -> ``[N, 3, H, W]``."""
    n, channels, height, width = x.shape
    scale = _style(weights, name, w) / math.sqrt(channels)  # [N, C]
    kernel = weights[f"{name}.weight"][None] * scale[:, None, :, None, None]  # [N, 3, C, 1, 1]
    x = F.conv2d(
        x.reshape(1, n * channels, height, width), kernel.reshape(n * 3, channels, 1, 1), groups=n
    )
    return x.reshape(n, 3, height, width) + weights[f"{name}.bias"][None, :, None, None]


def _style(weights: dict[str, Tensor], name: str, w: Tensor) -> Tensor:
    """w ``[N, w_dim]`` -> what each input channel is multiplied with, ``[N, I]``."""
    weight = weights[f"{name}.affine.weight"]
    return F.linear(w, weight / math.sqrt(weight.shape[1]), weights[f"{name}.affine.bias"])


def _upsample(x: Tensor) -> Tensor:
    """``[N, C, H, W]`` -> ``[N, C, 2H, 2W]``: zeros between the pixels, padding, filter."""
    n, channels, height, width = x.shape
    spread = F.pad(x[:, :, :, None, :, None], [0, 1, 0, 0, 0, 1])  # [N, C, H, 2, W, 2]
    spread = F.pad(spread.reshape(n, channels, 2 * height, 2 * width), [1, 0, 1, 0])
    return _filter(spread, padding=1, gain=4.0)


def _filter(x: Tensor, padding: int, gain: float) -> Tensor:
    """Each channel of ``[N, C, H, W]`` convolved with the 4 x 4 filter of sum ``gain``."""
    channels = x.shape[1]
    kernel = (torch.outer(_FIR, _FIR) * gain)[None, None].repeat(channels, 1, 1, 1)
    return F.conv2d(F.pad(x, [padding] * 4), kernel, groups=channels)
