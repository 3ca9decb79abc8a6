"""The whole network at a fraction of its size: a quick picture that looks like the large one.

As `networks.stylegan.stylegan2.downscaled`: the layers above the size run at it, with kernels
shrunk to it. StyleGAN1 makes its colors in the very last layer: without these, no picture.
"""

from __future__ import annotations

import torch.nn.functional as F
from latentfu import Noise
from torch import Tensor

from latentfu_builtin.networks.stylegan.common import Details, check_layer_cancelled
from latentfu_builtin.networks.stylegan.stylegan1.network import StyledLayer, StyleGAN1Synthesis
from latentfu_builtin.networks.stylegan.stylegan2.downscaled import shrink_kernel


def draw_downscaled(
    synthesis: StyleGAN1Synthesis, ws: Tensor, size: int, noise: Noise, details: Details
) -> Tensor:
    """ws [N, num_ws, w_dim] -> picture [N, 3, size, size], about -1..1."""
    x = synthesis.const.expand(len(ws), -1, -1, -1)
    for i in range(synthesis.config.num_ws):
        if synthesis.config.layer_resolution(i) <= size:
            x = synthesis.step(i, x, ws, noise, details)  # [N, C, R, R]
        else:
            x = _downscaled_step(synthesis, i, x, ws, noise, details)  # [N, C, size, size]
    return synthesis.to_rgb(x)


def _downscaled_step(  # noqa: PLR0917 - the same as Synthesis.step
    synthesis: StyleGAN1Synthesis, i: int, x: Tensor, ws: Tensor, noise: Noise, details: Details
) -> Tensor:
    """Layer i without growing: x [N, I, S, S] -> [N, O, S, S]; noise and details averaged to S."""
    check_layer_cancelled()
    layer: StyledLayer = synthesis.convs[i]  # type: ignore[assignment]
    size = x.shape[-1]
    kernel = shrink_kernel(layer.equalized(), size / layer.resolution)  # [O, I, 3 or 1, 3 or 1]
    grain = layer.noise_map(noise, i, len(x))
    if grain is not None:
        grain = F.adaptive_avg_pool2d(grain.view(-1, 1, *grain.shape[-2:]), size)
    y = layer.styled(F.conv2d(x, kernel, padding=kernel.shape[2] // 2), ws[:, i], grain)
    return y + F.adaptive_avg_pool2d(details[i], size).to(y) if i in details else y
