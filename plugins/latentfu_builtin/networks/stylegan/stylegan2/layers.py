"""The small parts StyleGAN2 is made of: equalised layers, FIR filters, modulated convolution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor

from latentfu_builtin.networks.stylegan import polyphase as phases
from latentfu_builtin.networks.stylegan import winograd as tiles

LRELU_SLOPE = 0.2
LRELU_GAIN = math.sqrt(2.0)
FIR_TAPS = (1.0, 3.0, 3.0, 1.0)


def normalize_2nd_moment(x: Tensor, eps: float = 1e-8) -> Tensor:
    """Scale each row of x [N, C] so that its mean square is 1 (StyleGAN2's input normalisation)."""
    return x * (x.square().mean(dim=1, keepdim=True) + eps).rsqrt()


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The 2-D binomial-like filter [1, 3, 3, 1] x [1, 3, 3, 1] as [4, 4], summing to `gain`."""
    taps = torch.tensor(FIR_TAPS)
    kernel = torch.outer(taps, taps)
    return kernel * (gain / kernel.sum())


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
    """values [N, C] as [N, C, 1, 1], to be combined with x [N, C, H, W].

    In x's type and with channels-last strides: on a CPU the product is then many times faster.
    """
    shaped = values[:, :, None, None].to(x.dtype)
    return shaped.contiguous(memory_format=torch.channels_last)


class EqualLinear(nn.Module):
    """Fully connected layer with equalised learning rate: y = x W^T * gain + b * multiplier."""

    def __init__(
        self, inputs: int, outputs: int, *, bias_init: float = 0.0, lr_multiplier: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs] -> [N, outputs]."""
        return F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)


class EqualConv(nn.Module):
    """Plain k x k convolution with equalised learning rate, optionally halving the size first."""

    kernel: Tensor

    def __init__(
        self, inputs: int, outputs: int, size: int, *, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
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


class Still:
    """What follows from weights that stand still, kept until they change.

    Only of a network's own parameters and only where they are not learned: bent weights and those
    of a function transform are tensors of a moment, and inference tensors know no gradients.
    """

    def __init__(self) -> None:
        self.kept: dict[str, tuple[object, Tensor]] = {}

    def get(self, name: str, weight: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """`make(weight)`, made again only when the weight has changed."""
        learned = torch.is_grad_enabled() and weight.requires_grad
        if learned or torch.is_inference_mode_enabled() or type(weight) is not nn.Parameter:
            return make(weight)
        state = (id(weight), weight.data_ptr(), weight._version)
        kept = self.kept.get(name)
        if kept is None or kept[0] != state:
            kept = self.kept[name] = (state, make(weight).detach())
        return kept[1]

    def __deepcopy__(self, memo: object) -> Still:
        return Still()

    def __reduce__(self) -> tuple[type[Still], tuple[()]]:
        return Still, ()


def power_of(weight: Tensor) -> Tensor:
    """weight [outputs, inputs, k, k] -> the sum of its squares over the kernel, float32."""
    return weight.float().square().sum(dim=(2, 3))


Way = Literal["direct", "tiles", "phases"]


class ModulatedConv(nn.Module):
    """Style-modulated convolution without a convolution per sample.

    The paper scales the weights per sample. Scaling the input by the style and the output by
    the demodulation coefficient gives the same result with one dense convolution for the batch.
    For a single sample the weights are scaled where that is less work than scaling the features.
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
        weight = torch.randn(outputs, inputs, size, size)
        # As the convolution reads it, or a second one would have to be kept.
        layout = torch.contiguous_format if up else torch.channels_last
        self.weight = nn.Parameter(weight.to(memory_format=layout))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.size = size
        self.up = up
        self.demodulate = demodulate
        self.still = Still()
        self.register_buffer("kernel", fir_kernel(4.0), persistent=False)

    def scales(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """w [N, w_dim] -> input scale [N, inputs] and output scale [N, outputs], in float32."""
        with torch.autocast(w.device.type, enabled=False):
            style: Tensor = self.affine(w.float())
            if not self.demodulate:
                gain = 1.0 / math.sqrt(self.weight[0].numel())
                return style * gain, torch.ones_like(self.bias).expand(w.shape[0], -1)
            power = self.still.get("power", self.weight, power_of)  # [outputs, inputs]
            return style, (style.square() @ power.t() + 1e-8).rsqrt()

    def convolve(self, x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H, W], plus bias; twice the size when `up`.

        kernel: the weights as `laid_out` gives them.
        """
        if not self.up:
            return F.conv2d(x, kernel, bias, padding=self.size // 2)
        x = F.conv_transpose2d(x, kernel, stride=2)  # [N, outputs, 2H + 1, 2W + 1]
        return fir_filter(x, self.kernel, padding=1, bias=bias)

    def laid_out(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        """weight [outputs, inputs, k, k] as the convolution reads it, in dtype."""
        weight = weight.transpose(0, 1).flip(2, 3) if self.up else weight
        return weight.to(dtype, memory_format=torch.channels_last)

    def way(self, x: Tensor, keep: bool) -> Way:
        """How features x [N, I, H, W] are convolved: with the least work for where they are.

        keep: whether a kernel may be kept that takes four times the memory of the weights.
        """
        # A compiler lays convolutions out itself.
        if torch.compiler.is_compiling() or is_functorch_wrapped_tensor(x):
            return "direct"
        if self.up:
            return "phases" if phases.pays(x, self.weight) else "direct"
        return "tiles" if tiles.pays(x, self.weight, kept=keep and not self.folds(x)) else "direct"

    def folds(self, x: Tensor) -> bool:
        """Whether scaling the weights is less work than scaling the features x [N, I, H, W]."""
        return x.shape[0] == 1 and self.weight[:, 0].numel() <= x.shape[2] * x.shape[3]

    def with_weights(
        self, x: Tensor, weight: Tensor, way: Way, bias: Tensor | None = None
    ) -> Tensor:
        """x [N, inputs, H, W], weight [outputs, inputs, k, k] -> `convolve`, the way asked for."""
        if way == "tiles":
            x = tiles.convolve_once(x, weight)
            return x if bias is None else added(x, bias[:, None, None])
        if way == "phases":
            x = phases.doubled(x, weight)  # [N, outputs, 2H + 1, 2W + 1]
            return fir_filter(x, self.kernel, padding=1, bias=bias)
        return self.convolve(x, self.laid_out(weight, x.dtype), bias)

    def with_own_weights(self, x: Tensor, way: Way, keep: bool) -> Tensor:
        """x [N, inputs, H, W] -> [N, outputs, H, W], by weights that no style scales."""
        if way == "tiles" and keep:
            return tiles.convolve(x, self.still.get("tiles", self.weight, tiles.transformed))
        if way != "direct":
            return self.with_weights(x, self.weight, way)
        kernel = self.still.get(str(x.dtype), self.weight, lambda w: self.laid_out(w, x.dtype))
        return self.convolve(x, kernel)

    def forward(
        self,
        x: Tensor,
        w: Tensor,
        noise: Tensor | None = None,
        gain: float = 1.0,
        keep: bool = False,
    ) -> Tensor:
        """x [N, inputs, H, W], w [N, w_dim] -> [N, outputs, H, W] times gain, no activation.

        noise, when given, is added like the bias: [N or 1, 1, H, W], already scaled. keep: whether
        memory may be taken so that the next picture is quicker.
        """
        style, demodulation = self.scales(w)
        way = self.way(x, keep)
        if self.folds(x) or (way == "tiles" and len(x) == 1 and not keep):
            rows = (demodulation[0] * gain)[:, None, None, None]
            weight = self.weight * rows * style[0][:, None, None]  # [outputs, inputs, k, k]
            bias = (self.bias * gain).to(x.dtype)
            x = self.with_weights(x, weight, way, bias)
            return x if noise is None else added(x, (noise * gain).to(x.dtype))
        x = self.with_own_weights(x * per_channel(style, x), way, keep)
        scale, offset = per_channel(demodulation * gain, x), per_channel(self.bias[None] * gain, x)
        if noise is not None:
            offset = offset + (noise * gain).to(x.dtype)
        if has_own_memory(x) and has_own_memory(scale) and has_own_memory(offset):
            return x.mul_(scale).add_(offset)
        return torch.addcmul(offset, x, scale)


def has_own_memory(x: Tensor) -> bool:
    """Whether x can be written over: no gradients are asked for, no function transform runs."""
    return not torch.is_grad_enabled() and not is_functorch_wrapped_tensor(x)


def added(x: Tensor, more: Tensor) -> Tensor:
    """x + more, in x's own memory where that may be."""
    return x.add_(more) if has_own_memory(x) and has_own_memory(more) else x + more
