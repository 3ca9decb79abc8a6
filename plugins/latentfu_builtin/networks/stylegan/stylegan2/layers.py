"""The modulated convolution of StyleGAN2 and the layers that are made of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.fast_conv import (
    ConvAlgorithm,
    WeightCache,
    add_where_possible,
    choose,
)
from latentfu_builtin.networks.stylegan.layers import (
    EqualLinear,
    draw_normal,
    fir_kernel,
    per_channel,
)
from latentfu_builtin.networks.stylegan.torch_compat import may_overwrite

if TYPE_CHECKING:
    from latentfu import Noise


def modulated_conv(  # noqa: PLR0917 - the terms of the paper's equations
    x: Tensor,  # [N, I, H, W]: the features
    weight: Tensor,  # [O, I, k, k]: the weights w of the layer
    modulation: Tensor,  # [N, I]: the scales s that a style gives the input channels
    demodulation: Tensor,  # [N, O]: what brings each output channel back to unit deviation
    bias: Tensor,  # [O]
    noise: Tensor | None,  # [N or 1, 1, H', W']: scaled by the layer's strength, or None
    algorithm: ConvAlgorithm,  # how to convolve
    gain: float = 1.0,  # a factor of everything, the activation's for instance
) -> Tensor:  # [N, O, H', W']: H' = H, or 2H where the layer doubles the size
    """StyleGAN2's modulated convolution, noise and bias, before the activation.

    Karras et al. 2020 (arXiv 1912.04958), section 2.2, equations 1 to 3: w' = s w,
    w'' = w' / sqrt(sum w'^2 + eps), convolved with w''. As the convolution is linear, scaling the
    weights' input and output channels is scaling the features' before and after: where several
    pictures are drawn at once one dense convolution then serves all. For one picture the weights
    are scaled where that is less work than scaling the features.
    """
    if algorithm.fuses_weights(x):
        # Modulate (eq. 1) and demodulate (eq. 3): the weights of this one picture.
        out_scale = (demodulation[0] * gain)[:, None, None, None]  # [O, 1, 1, 1]
        weight = weight * out_scale * modulation[0][:, None, None]  # [O, I, k, k]
        # Convolve; the bias is added on the way.
        x = algorithm.convolve(x, weight, (bias * gain).to(x.dtype))  # [1, O, H', W']
        # Noise.
        return x if noise is None else add_where_possible(x, (noise * gain).to(x.dtype))
    # Modulate (eq. 1): the input channels instead of the weights.
    x = x * per_channel(modulation, x)  # [N, I, H, W]
    # Convolve: the same weights for all pictures.
    x = algorithm.convolve_own(x)  # [N, O, H', W']
    # Demodulate (eq. 3): the output channels instead of the weights.
    out_scale = per_channel(demodulation * gain, x)  # [N, O, 1, 1]
    # Noise and bias.
    offset = per_channel(bias[None] * gain, x)  # [1, O, 1, 1]
    if may_overwrite(x) and may_overwrite(out_scale) and may_overwrite(offset):
        if noise is not None:
            offset = offset + (noise * gain).to(x.dtype)  # [N or 1, O, H', W']
        return x.mul_(out_scale).add_(offset)
    # In this order the result is laid out as x, channels last: gradients are three times as quick.
    x = torch.addcmul(offset, x, out_scale)  # [N, O, H', W']
    return x if noise is None else x + (noise * gain).to(x.dtype)


class ModulatedConv(nn.Module):
    """A convolution whose input channels a style scales; see `modulated_conv`.

    Args:
        inputs: Channels I of the features.
        outputs: Channels O.
        size: k of the kernel, 1 or 3.
        w_dim: Numbers of a style.
        up: Whether the size doubles.
        demodulate: Whether outputs are brought back to unit deviation; not in toRGB.
    """

    kernel: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        w_dim: int,
        *,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.affine = EqualLinear(w_dim, inputs, bias_init=1.0)
        weight = draw_normal(outputs, inputs, size, size)
        # As the convolution reads it, or a second one would have to be kept.
        layout = torch.contiguous_format if up else torch.channels_last
        self.weight = nn.Parameter(weight.to(memory_format=layout))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.size = size
        self.up = up
        self.demodulate = demodulate
        self.weight_cache = WeightCache()
        self.register_buffer("kernel", fir_kernel(4.0), persistent=False)

    def modulation(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Style w [N, w_dim] -> modulation [N, I] and demodulation [N, O], float32.

        Without demodulation the modulation takes the equalized learning rate's gain over.
        """
        with torch.autocast(w.device.type, enabled=False):
            modulation: Tensor = self.affine(w.float())  # [N, I]: s_i
            if not self.demodulate:
                gain = 1.0 / math.sqrt(self.weight[0].numel())
                return modulation * gain, torch.ones_like(self.bias).expand(w.shape[0], -1)
            power = self.weight_cache.get("power", self.weight, _power_of)  # [O, I]: sum_k w^2
            # 1 / sqrt(sum_i s_i^2 sum_k w_ijk^2 + eps)
            return modulation, (modulation.square() @ power.t() + 1e-8).rsqrt()  # [N, O]

    def forward(
        self,
        x: Tensor,
        w: Tensor,
        noise: Tensor | None = None,
        gain: float = 1.0,
        cache_kernels: bool = False,
    ) -> Tensor:
        """Convolve features x [N, I, H, W] in the style w [N, w_dim]; no activation.

        Args:
            x: The features.
            w: The style.
            noise: [N or 1, 1, H', W'], already scaled.
            gain: A factor of the result.
            cache_kernels: Whether memory may be taken so that the next picture is quicker.

        Returns:
            [N, O, H, W], or [N, O, 2H, 2W] where the size doubles.
        """
        modulation, demodulation = self.modulation(w)  # [N, I], [N, O]
        algorithm = choose(x, self, cache_kernels)
        return modulated_conv(
            x, self.weight, modulation, demodulation, self.bias, noise, algorithm, gain
        )


class NoisyConv(ModulatedConv):
    """One synthesis layer before its activation: modulated 3 x 3 convolution, noise, bias."""

    noise_const: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, resolution: int, up: bool) -> None:
        super().__init__(inputs, outputs, 3, w_dim, up=up)
        self.resolution = resolution
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", draw_normal(resolution, resolution))

    def noise_map(self, noise: Noise, layer: int, x: Tensor) -> Tensor | None:
        """The scaled noise [N or 1, 1, R, R] that `noise` asks for, for features x [N, ...]."""
        if noise == "none":
            return None
        if noise == "random":
            value = torch.randn(x.shape[0], 1, self.resolution, self.resolution, device=x.device)
        elif noise == "const" or (not isinstance(noise, str) and layer not in noise):
            value = self.noise_const[None, None]
        elif not isinstance(noise, str):
            value = noise[layer]
        else:
            raise ValueError(f"noise must be const, random, none or maps by layer, not {noise!r}")
        return value * self.noise_strength


def _power_of(weight: Tensor) -> Tensor:
    """Weight [O, I, k, k] -> the sum of its squares over the kernel [O, I], float32."""
    return weight.float().square().sum(dim=(2, 3))
