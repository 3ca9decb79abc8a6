"""The network: mapping, and layers that are normalized and then styled (AdaIN)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from latentfu import Noise
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import (
    LRELU_SLOPE,
    draw_normal,
    fir_kernel,
    normalize_2nd_moment,
)
from latentfu_builtin.networks.stylegan.mapped_network import (
    NO_DETAILS,
    AveragedMapping,
    Details,
    MappedNetwork,
    check_layer_cancelled,
)
from latentfu_builtin.networks.stylegan.stylegan2.downscaled import shrink_kernel

FUSED_FROM = 128
"""From this size on the doubling is part of the convolution."""


@dataclass(frozen=True)
class StyleGAN1Config:
    """``mapping``: outputs of the mapping's layers; ``channels``: at 4, 8, ... ``resolution``.

    ``c_dim``: how many labels a conditional network takes; 0 for none.
    """

    resolution: int
    z_dim: int
    mapping: tuple[int, ...]
    channels: tuple[int, ...]
    c_dim: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mapping", tuple(self.mapping))
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.mapping or self.resolution != 2 << len(self.channels):
            raise ValueError(
                f"{len(self.channels)} sizes from 4 px do not end at {self.resolution} px"
            )

    @property
    def w_dim(self) -> int:
        """Numbers of a style."""
        return self.mapping[-1]

    @property
    def num_ws(self) -> int:
        """Two layers at each size, a style each."""
        return 2 * len(self.channels)

    def layer_resolution(self, layer: int) -> int:
        """The side of the features that a layer gives, in pixels."""
        return 4 << (layer // 2)

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back."""
        values = asdict(self)
        if not self.c_dim:
            del values["c_dim"]
        return json.dumps(values, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> StyleGAN1Config:
        """The config that `to_json` wrote; ValueError in one sentence for anything else."""
        try:
            return StyleGAN1Config(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"the network's config cannot be read: {error}") from error


HE = math.sqrt(2.0)


class Dense(nn.Module):
    """y = x W^T * gain / sqrt(inputs) * multiplier + b * multiplier."""

    def __init__(self, inputs: int, outputs: int, gain: float, multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw_normal(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain, self.multiplier = gain * multiplier / math.sqrt(inputs), multiplier

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs] -> [N, outputs]."""
        return F.linear(x, self.weight * self.gain, self.bias * self.multiplier)


class StyleGAN1Mapping(AveragedMapping):
    """MLP from z to w, with the mean `w_avg` [w_dim] that truncation pulls towards.

    `embed` [c_dim, z_dim]: what a conditional network's labels become, None without labels.
    """

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__()
        self.z_dim = config.z_dim
        sizes = (config.z_dim * (2 if config.c_dim else 1), *config.mapping)
        labels = draw_normal(config.c_dim, config.z_dim) if config.c_dim else None
        self.embed = None if labels is None else nn.Parameter(labels)
        self.layers = nn.ModuleList(Dense(a, b, HE, 0.01) for a, b in pairwise(sizes))
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """z [N, z_dim], standard normal, labels [N, c_dim] (None: the first) -> w [N, w_dim]."""
        x = z.float()
        if self.embed is not None:
            told = self.embed[:1].expand(len(z), -1) if labels is None else labels @ self.embed
            x = torch.cat([x, told], dim=1)  # [N, 2 z_dim]
        x = normalize_2nd_moment(x)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LRELU_SLOPE)
        return x


class StyledLayer(nn.Module):
    """A convolution (none for the first), noise, bias, activation, and the style."""

    noise_const: Tensor
    blur: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, resolution: int, up: bool) -> None:
        super().__init__()
        self.resolution, self.up = resolution, up
        self.weight = nn.Parameter(draw_normal(outputs, inputs, 3, 3)) if inputs else None
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = Dense(w_dim, 2 * outputs, 1.0)
        self.noise_weight = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise_const", draw_normal(resolution, resolution))
        self.register_buffer("blur", fir_kernel(taps=(1.0, 2.0, 1.0)), persistent=False)

    def equalized(self) -> Tensor:
        """The weights [O, I, 3, 3] at their equalised scale."""
        assert self.weight is not None  # the first layer convolves nothing
        return self.weight * (HE / math.sqrt(self.weight[0].numel()))

    def convolve(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H, W], twice the size when `up`."""
        if self.weight is None:
            return x
        weight = self.equalized()
        if not self.up:
            return F.conv2d(x, weight, padding=1)
        if self.resolution >= FUSED_FROM:
            wide = F.pad(weight.transpose(0, 1), (1, 1, 1, 1))  # [I, O, 5, 5]
            four = wide[..., 1:, 1:] + wide[..., :-1, 1:] + wide[..., 1:, :-1] + wide[..., :-1, :-1]
            x = F.conv_transpose2d(x, four, stride=2, padding=1)
        else:
            x = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1)
        kernel = self.blur.to(x).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(x, kernel, padding=1, groups=x.shape[1])

    def noise_map(self, noise: Noise, layer: int, n: int) -> Tensor | None:
        """The map [n or 1, 1, R, R] that `noise` asks for."""
        if isinstance(noise, Mapping):
            return noise.get(layer, self.noise_const)
        if noise == "random":
            shape = (n, 1, self.resolution, self.resolution)
            return torch.randn(shape, device=self.noise_const.device)
        return self.noise_const if noise == "const" else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """x [N, I, H, W], w [N, w_dim], noise [N or 1, 1, R, R] -> [N, O, R, R]."""
        return self.styled(self.convolve(x), w, noise)

    def styled(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """What was convolved [N, O, S, S], with noise [N or 1, 1, S, S], in the style of w."""
        if noise is not None:
            x = x + noise * self.noise_weight[:, None, None]
        x = F.leaky_relu(x + self.bias[:, None, None], LRELU_SLOPE)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x * (x.square().mean(dim=(2, 3), keepdim=True) + 1e-8).rsqrt()
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)  # [N, O, 1, 1] each
        styled: Tensor = x * (scale + 1.0) + shift
        return styled


class StyleGAN1Synthesis(nn.Module):
    """A constant through all layers, and colors from the last. Layer i reads style i."""

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__()
        self.config = config
        self.const = nn.Parameter(torch.ones(config.channels[0], 4, 4))
        self.convs = nn.ModuleList()
        for layer in range(config.num_ws):
            outputs = config.channels[layer // 2]
            inputs = 0 if layer == 0 else config.channels[(layer - 1) // 2]
            side, up = config.layer_resolution(layer), layer > 0 and layer % 2 == 0
            self.convs.append(StyledLayer(inputs, outputs, config.w_dim, side, up))
        self.rgb = nn.Conv2d(config.channels[-1], 3, 1)

    def step(
        self, i: int, x: Tensor, ws: Tensor, noise: Noise, details: Details = NO_DETAILS
    ) -> Tensor:
        """One layer: x [N, C, H, W] -> [N, C', R, R], with its detail added."""
        check_layer_cancelled()
        layer: StyledLayer = self.convs[i]  # type: ignore[assignment]
        y: Tensor = layer(x, ws[:, i], layer.noise_map(noise, i, len(x)))
        return y + details[i].to(y) if i in details else y

    def to_rgb(self, x: Tensor) -> Tensor:
        """x [N, C, R, R] -> picture [N, 3, R, R], about -1..1."""
        return F.conv2d(x, self.rgb.weight / math.sqrt(x.shape[1]), self.rgb.bias)

    def forward(
        self,
        ws: Tensor,
        noise: Noise = "const",
        features: Sequence[int] = (),
        details: Details = NO_DETAILS,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """ws [N, num_ws, w_dim] -> picture [N, 3, R, R], about -1..1, and the wanted features."""
        x = self.const.expand(len(ws), -1, -1, -1)
        kept: dict[int, Tensor] = {}
        for i in range(self.config.num_ws):
            x = self.step(i, x, ws, noise, details)
            if i in features:
                kept[i] = x
        return self.to_rgb(x), kept

    def mix(
        self,
        ws: tuple[Tensor, Tensor],
        layers: range,
        mask: Tensor,
        details: tuple[Details, Details] = (NO_DETAILS, NO_DETAILS),
    ) -> Tensor:
        """A's picture with B's styles in `layers` where the mask is 1 -> [N, 3, R, R].

        ws: A's and B's [N, num_ws, w_dim]; mask [N or 1, 1, H, W] in 0..1, of any size.
        """
        x = self.const.expand(len(ws[0]), -1, -1, -1)
        for i in range(self.config.num_ws):
            before = x
            x = self.step(i, before, ws[0], "const", details[0])
            if i in layers:
                other = self.step(i, before, ws[1], "const", details[1])
                x = torch.lerp(x, other, F.interpolate(mask.to(x), x.shape[-2:], mode="area"))
        return self.to_rgb(x)


class StyleGAN1(MappedNetwork):
    """z -> w -> one style per layer -> picture."""

    architecture = "stylegan1"
    config: StyleGAN1Config

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__()
        self.config = config
        self.mapping = StyleGAN1Mapping(config)
        self.synthesis = StyleGAN1Synthesis(config)
        self.metadata: dict[str, str] = {}


def draw_downscaled(
    synthesis: StyleGAN1Synthesis, ws: Tensor, size: int, noise: Noise, details: Details
) -> Tensor:
    """The whole network at a fraction of its size: a quick picture that looks like the large one.

    As `networks.stylegan.stylegan2.downscaled`: the layers above the size run at it, with kernels
    shrunk to it. The colors come from the very last layer: without these, no picture.

    Args:
        ws: [N, num_ws, w_dim].
        size: Of the picture, one that a layer has.

    Returns:
        Pictures [N, 3, size, size], about -1..1.
    """
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
