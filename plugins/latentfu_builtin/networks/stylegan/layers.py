"""What all networks of the family are built of: equalized layers, FIR filters, the activation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LRELU_SLOPE = 0.2
LRELU_GAIN = math.sqrt(2.0)
FIR_TAPS = (1.0, 3.0, 3.0, 1.0)


def draw_normal(*shape: int, spread: float = 1.0) -> Tensor:
    """Random numbers as those of torch.randn, times `spread`: what weights begin with.

    On the meta device, where a network is built before its file is believed, randn and quotients
    load torch's compiler: a second of every start.
    """
    return torch.normal(0.0, spread, shape)


def normalize_2nd_moment(x: Tensor, eps: float = 1e-8) -> Tensor:
    """Scale each row of x [N, C] so that its mean square is 1 (StyleGAN2's input normalization)."""
    return x * (x.square().mean(dim=1, keepdim=True) + eps).rsqrt()


def fir_kernel(gain: float = 1.0, taps: Sequence[float] = FIR_TAPS) -> Tensor:
    """The 2-D filter taps x taps as [T, T], summing to `gain`; [4, 4] by default."""
    part = gain / sum(taps) ** 2
    return torch.tensor([[a * b * part for b in taps] for a in taps])


def fir_filter(x: Tensor, kernel: Tensor, padding: int, bias: Tensor | None = None) -> Tensor:
    """Filter each channel of x [N, C, H, W] with kernel [4, 4] (symmetric), zero-padded.

    bias [C], when given, is added.
    """
    channels = x.shape[1]
    weight = kernel.to(x.dtype).expand(channels, 1, 4, 4)
    return F.conv2d(x, weight, bias, padding=padding, groups=channels)


def upsample_2x(x: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W]: zeros between the pixels, then the filter (sum 4)."""
    channels = x.shape[1]
    weight = kernel.to(x.dtype).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


def lrelu(x: Tensor) -> Tensor:
    """Leaky ReLU with the gain that keeps the variance."""
    return F.leaky_relu(x, LRELU_SLOPE) * LRELU_GAIN


def per_channel(values: Tensor, x: Tensor) -> Tensor:
    """Lay values [N, C] out as [N, C, 1, 1], to be combined with x [N, C, H, W].

    In x's type and with channels-last strides: on a CPU the product is then many times faster.
    """
    shaped = values[:, :, None, None].to(x.dtype)
    return shaped.contiguous(memory_format=torch.channels_last)


class EqualLinear(nn.Module):
    """Fully connected layer with equalized learning rate: y = x W^T * gain + b * multiplier."""

    def __init__(
        self, inputs: int, outputs: int, *, bias_init: float = 0.0, lr_multiplier: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw_normal(outputs, inputs, spread=1.0 / lr_multiplier))
        self.bias = nn.Parameter(torch.full((outputs,), bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs] -> [N, outputs]."""
        return F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)


class EqualConv(nn.Module):
    """Plain k x k convolution with equalized learning rate, optionally halving the size first."""

    kernel: Tensor

    def __init__(
        self, inputs: int, outputs: int, size: int, *, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw_normal(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = 1.0 / math.sqrt(inputs * size * size)
        self.size = size
        self.down = down
        self.register_buffer("kernel", fir_kernel(), persistent=False)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H, W] times gain; half the size when `down`."""
        weight = self.weight * (self.gain * gain)
        bias = None if self.bias is None else self.bias * gain
        if not self.down:
            return F.conv2d(x, weight, bias, padding=self.size // 2)
        if self.size == 1:  # filter, then keep every second pixel
            x = fir_filter(x, self.kernel, padding=1)[:, :, ::2, ::2]
            return F.conv2d(x, weight, bias)
        x = fir_filter(x, self.kernel, padding=2)  # [N, C, H + 1, W + 1]
        return F.conv2d(x, weight, bias, stride=2)

    def activated(self, x: Tensor) -> Tensor:
        """`lrelu` of the convolution; its gain goes with the weights, which are smaller."""
        return F.leaky_relu(self(x, LRELU_GAIN), LRELU_SLOPE)
