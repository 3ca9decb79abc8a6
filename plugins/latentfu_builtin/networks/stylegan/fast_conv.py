"""The ways to compute one convolution, behind one interface, and the choice between them.

A layer of StyleGAN2 convolves with its own weights, or with weights that are made for one picture
(modulated, see `stylegan2.layers.modulated_conv`). Each way computes the same numbers up to
rounding:

- `Direct`: torch's convolution, and its transposed one where the size doubles.
- `Winograd`: tiles of 4 x 4 pixels, a quarter of the multiplications (`winograd.py`).
- `Polyphase`: doubling the size by four small convolutions, one for each kind of new pixel.

`choose` takes the one with the least work for where the features are. `WeightCache` keeps what
follows from weights that stand still.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan import winograd
from latentfu_builtin.networks.stylegan.layers import fir_filter
from latentfu_builtin.networks.stylegan.torch_compat import (
    is_wrapped,
    may_overwrite,
    storage_state,
)

POLYPHASE_LEAST_SIDE, POLYPHASE_LEAST_WORK = 128, 1 << 29
"""Below this side of the features, or with fewer multiplications for each tap, it gains nothing."""


class WeightCache:
    """What follows from weights that stand still, kept until they change.

    Only of a network's own parameters and only where they are not learned: weights with offsets
    and those of a function transform are tensors of a moment, and inference tensors know no
    gradients. A copied or pickled network begins with an empty cache.
    """

    def __init__(self) -> None:
        self.kept: dict[str, tuple[object, Tensor]] = {}

    def get(self, name: str, weight: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """Return `make(weight)`, made again only when the weight has changed."""
        learned = torch.is_grad_enabled() and weight.requires_grad
        if learned or torch.is_inference_mode_enabled() or type(weight) is not nn.Parameter:
            return make(weight)
        state = storage_state(weight)
        kept = self.kept.get(name)
        if kept is None or kept[0] != state:
            kept = self.kept[name] = (state, make(weight).detach())
        return kept[1]

    def __deepcopy__(self, memo: object) -> WeightCache:
        return WeightCache()

    def __reduce__(self) -> tuple[type[WeightCache], tuple[()]]:
        return WeightCache, ()


class Convolution(Protocol):
    """What an algorithm has to know of a layer.

    Attributes:
        weight: [O, I, k, k]; where the size doubles, turned round (a correlation on the larger
            grid).
        kernel: The FIR filter [4, 4] that follows a doubling, of sum 4.
        up: Whether the size doubles.
        size: k.
        weight_cache: For what follows from `weight`.
    """

    weight: nn.Parameter
    kernel: Tensor
    up: bool
    size: int
    weight_cache: WeightCache


class ConvAlgorithm(ABC):
    """One way to compute the convolution of a layer for given features.

    Args:
        conv: The layer.
        cache_kernels: Whether memory may be taken so that the next picture is quicker.
    """

    def __init__(self, conv: Convolution, cache_kernels: bool = False) -> None:
        self.conv, self.cache_kernels = conv, cache_kernels

    def fuses_weights(self, x: Tensor) -> bool:
        """Whether modulating the weights is less work than modulating features x [N, I, H, W]."""
        return _fusing_is_less_work(x, self.conv.weight)

    @abstractmethod
    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve with weights made for this call, and add the bias.

        Args:
            x: Features [N, I, H, W].
            weight: [O, I, k, k], in the type of the network.
            bias: [O], in the type of x.

        Returns:
            [N, O, H, W], or [N, O, 2H, 2W] where the layer doubles the size.
        """

    def convolve_own(self, x: Tensor) -> Tensor:
        """Convolve x [N, I, H, W] with the layer's own weights: [N, O, H, W] or doubled."""
        return self.convolve(x, self.conv.weight)


class Direct(ConvAlgorithm):
    """torch's convolution; where the size doubles a transposed one, then the FIR filter."""

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve as `ConvAlgorithm.convolve` says."""
        return self._run(x, self.conv_layout(weight, x.dtype), bias)

    def convolve_own(self, x: Tensor) -> Tensor:
        """Convolve with the layer's own weights, whose layout is kept."""

        def lay_out(weight: Tensor) -> Tensor:
            return self.conv_layout(weight, x.dtype)

        return self._run(x, self.conv.weight_cache.get(str(x.dtype), self.conv.weight, lay_out))

    def conv_layout(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        """Lay weight [O, I, k, k] out as torch reads it: channels last, [I, O, k, k] to double."""
        weight = weight.transpose(0, 1).flip(2, 3) if self.conv.up else weight
        return weight.to(dtype, memory_format=torch.channels_last)

    def _run(self, x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.conv.size == 1 and torch.is_grad_enabled():
            return mix_channels(x, kernel, bias)
        if not self.conv.up:
            return F.conv2d(x, kernel, bias, padding=self.conv.size // 2)  # [N, O, H, W]
        x = F.conv_transpose2d(x, kernel, stride=2)  # [N, O, 2H + 1, 2W + 1]
        return fir_filter(x, self.conv.kernel, padding=1, bias=bias)  # [N, O, 2H, 2W]


class Winograd(ConvAlgorithm):
    """Tiles of 4 x 4 pixels. For large features with many channels on a CPU; see `winograd.py`."""

    @staticmethod
    def pays(x: Tensor, weight: Tensor, cached: bool) -> bool:
        """Whether it is less work for x [N, I, H, W] and weight [O, I, k, k].

        cached: Whether the transformed kernel is there already.
        """
        height, width = x.shape[2:]
        least = winograd.LEAST_SIDE_CACHED if cached else winograd.LEAST_SIDE
        return (
            _can_rearrange(x, weight)
            and min(weight.shape[:2]) >= winograd.LEAST_CHANNELS
            and min(height, width) >= least
            and height % winograd.SIDE == width % winograd.SIDE == 0
        )

    def fuses_weights(self, x: Tensor) -> bool:
        """Whether to modulate the weights: for one picture too, where no kernel may be kept."""
        return super().fuses_weights(x) or (len(x) == 1 and not self.cache_kernels)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve as `ConvAlgorithm.convolve` says; the kernel is transformed in parts."""
        x = winograd.convolve_once(x, weight)  # [N, O, H, W]
        return x if bias is None else add_where_possible(x, bias[:, None, None])

    def convolve_own(self, x: Tensor) -> Tensor:
        """Convolve with the layer's own weights, whose transformed kernel may be kept."""
        if not self.cache_kernels:
            return self.convolve(x, self.conv.weight)
        kernel = self.conv.weight_cache.get("winograd", self.conv.weight, winograd.transform_kernel)
        return winograd.convolve(x, kernel)


class Polyphase(ConvAlgorithm):
    """Doubling the size by four small convolutions, one for each kind of new pixel.

    Of the zeros between the pixels a 3 x 3 kernel sees nothing. Even rows and columns of the
    result take its outer taps, odd ones the middle tap: kernels of 2 x 2, 2 x 1, 1 x 2 and 1 x 1,
    with the multiplications of a transposed convolution. On large features a processor's library
    reaches twice the speed with them; on small ones, and for gradients, the transposed convolution
    is the better.
    """

    @staticmethod
    def pays(x: Tensor, weight: Tensor) -> bool:
        """Whether it is quicker for x [N, I, H, W] and weight [O, I, k, k]."""
        height, width = x.shape[2:]
        return (
            _can_rearrange(x, weight)
            and min(height, width) >= POLYPHASE_LEAST_SIDE
            and height * width * weight[:, :, 0, 0].numel() >= POLYPHASE_LEAST_WORK
        )

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve as `ConvAlgorithm.convolve` says."""
        x = upsample_by_phases(x, weight)  # [N, O, 2H + 1, 2W + 1]
        return fir_filter(x, self.conv.kernel, padding=1, bias=bias)  # [N, O, 2H, 2W]


def choose(x: Tensor, conv: Convolution, cache_kernels: bool = False) -> ConvAlgorithm:
    """Choose how `conv` is computed for features x [N, I, H, W]: with the least work there.

    Args:
        x: The features.
        conv: The layer.
        cache_kernels: Whether a kernel may be kept that takes four times the memory of the
            weights.
    """
    # A compiler lays convolutions out itself.
    if torch.compiler.is_compiling() or is_wrapped(x):
        return Direct(conv)
    weight = conv.weight
    if conv.up:
        return Polyphase(conv) if Polyphase.pays(x, weight) else Direct(conv)
    cached = cache_kernels and not _fusing_is_less_work(x, weight)
    return Winograd(conv, cache_kernels) if Winograd.pays(x, weight, cached) else Direct(conv)


def upsample_by_phases(x: Tensor, weight: Tensor) -> Tensor:
    """Put zeros between the pixels of x [N, I, H, W], convolve with weight [O, I, 3, 3].

    Padding 2, float32, no gradients.

    Returns:
        [N, O, 2H + 1, 2W + 1], channels last.
    """
    n, _, height, width = x.shape
    result = x.new_empty(n, 2 * height + 1, 2 * width + 1, len(weight)).permute(0, 3, 1, 2)
    for row in (0, 1):
        for column in (0, 1):
            taps = weight[:, :, row::2, column::2]  # [O, I, 2 or 1, 2 or 1]
            taps = taps.contiguous(memory_format=torch.channels_last)
            result[:, :, row::2, column::2] = F.conv2d(x, taps, padding=(1 - row, 1 - column))
    return result


def mix_channels(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve x [N, I, H, W] with kernel [O, I, 1, 1] as a matrix product: [N, O, H, W].

    A convolution to three colors hands back gradients with channels first, and everything before
    it would have to turn them round.
    """
    pixels = F.linear(x.permute(0, 2, 3, 1), kernel[:, :, 0, 0], bias)  # [N, H, W, O]
    return pixels.permute(0, 3, 1, 2)


def _can_rearrange(x: Tensor, weight: Tensor) -> bool:
    """Whether a convolution is one of 3 x 3 in float32 on a CPU, with no gradients asked for.

    The direct way has the better gradients, and other devices have their own best way.
    """
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_grad_enabled()
        and tuple(weight.shape[2:]) == (3, 3)
    )


def add_where_possible(x: Tensor, more: Tensor) -> Tensor:
    """Return x + more, in x's own memory where that may be."""
    return x.add_(more) if may_overwrite(x) and may_overwrite(more) else x + more


def _fusing_is_less_work(x: Tensor, weight: Tensor) -> bool:
    """Whether one picture x [1, I, H, W] has more numbers a channel than weight [O, I, k, k]."""
    return x.shape[0] == 1 and weight[:, 0].numel() <= x.shape[2] * x.shape[3]
