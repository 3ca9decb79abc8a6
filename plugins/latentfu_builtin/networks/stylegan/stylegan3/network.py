"""The network: mapping, Fourier features, layers that resample without aliasing."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import (
    LRELU_GAIN,
    LRELU_SLOPE,
    EqualLinear,
    draw_normal,
)
from latentfu_builtin.networks.stylegan.mapped_network import (
    NO_DETAILS,
    Details,
    MappedNetwork,
    check_layer_cancelled,
)
from latentfu_builtin.networks.stylegan.stylegan2.network import Mapping

Sides = tuple[int, int]


@dataclass(frozen=True)
class InputConfig:
    """The Fourier features that the network begins with.

    ``size``: width and height of the grid in samples; ``sampling_rate`` and ``bandwidth`` in
    samples and cycles per side of the picture.
    """

    channels: int
    size: Sides
    sampling_rate: float
    bandwidth: float


@dataclass(frozen=True)
class LayerConfig:
    """One layer: a modulated convolution and an activation between two resamplings.

    ``rate``: samples per side of the picture that come out; ``out_size`` is larger, since
    there is a margin around the picture. ``up``, ``down``: by how much the signal is resampled
    before and after the activation.
    ``padding``: left, right, top, bottom of the upsampled signal, negative to crop; ``clamp``:
    largest magnitude of the activation; ``up_taps``, ``down_taps``: shapes of the filters,
    empty where there is none.
    """

    in_channels: int
    out_channels: int
    out_size: Sides
    rate: float
    kernel: int
    up: int
    down: int
    padding: tuple[int, int, int, int]
    to_rgb: bool
    clamp: float | None
    up_taps: tuple[int, ...]
    down_taps: tuple[int, ...]


@dataclass(frozen=True)
class StyleGAN3Config:
    """Everything that is needed to build the network without its weights."""

    resolution: int
    z_dim: int
    w_dim: int
    c_dim: int
    mapping_layers: int
    mapping_lr_multiplier: float
    output_scale: float
    input: InputConfig
    layers: tuple[LayerConfig, ...]

    def __post_init__(self) -> None:
        widest = 4 * self.resolution + 256
        if not 4 <= self.resolution <= 8192 or not all(4 <= s <= widest for s in self.input.size):
            raise ValueError("the sizes of the network are out of range")
        if not self.input.sampling_rate > 0:
            raise ValueError("the sampling rate must be above 0")
        for one in self.layers:
            fits = all(1 <= s <= widest for s in one.out_size)
            if not fits or not all(1 <= t <= 256 for t in (*one.up_taps, *one.down_taps)):
                raise ValueError("a layer's size or its filters are out of range")
            if not (1 <= one.up <= 16 and 1 <= one.down <= 16 and 1 <= one.kernel <= 16):
                raise ValueError("a layer's resampling or kernel is out of range")
            if one.rate <= 0 or any(abs(p) > widest for p in one.padding):
                raise ValueError("a layer's rate or padding is out of range")

    @property
    def num_ws(self) -> int:
        """One style for the input and one for each layer."""
        return 1 + len(self.layers)

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> StyleGAN3Config:
        """The config that `to_json` wrote; ValueError in one sentence for anything else."""
        try:
            values = json.loads(text)
            begin = values.pop("input")
            layers = values.pop("layers")
            return StyleGAN3Config(
                input=InputConfig(**{**begin, "size": tuple(begin["size"])}),
                layers=tuple(
                    LayerConfig(**{k: plain(v) for k, v in one.items()}) for one in layers
                ),
                **values,
            )
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"the network's config cannot be read: {error}") from error


def plain(value: Any) -> Any:
    """Lists of JSON as tuples."""
    return tuple(value) if isinstance(value, list) else value


class FourierInput(nn.Module):
    """Sines on a grid that w turns and moves: the picture's coordinates."""

    transform: Tensor
    freqs: Tensor
    phases: Tensor

    def __init__(self, config: InputConfig, w_dim: int) -> None:
        super().__init__()
        self.config = config
        self.affine = EqualLinear(w_dim, 4)
        self.weight = nn.Parameter(draw_normal(config.channels, config.channels))
        self.register_buffer(
            "transform", torch.zeros(3, 3).fill_diagonal_(1.0)
        )  # the user's own: turn, move, scale
        self.register_buffer("freqs", torch.zeros(config.channels, 2))
        self.register_buffer("phases", torch.zeros(config.channels))

    def placed(self, w: Tensor) -> Tensor:
        """w [N, w_dim] -> how the picture is turned and moved, [N, 3, 3]."""
        t = self.affine(w)  # [N, 4]: cosine and sine of the turn, x, y
        t = t / t[:, :2].norm(dim=1, keepdim=True)
        zero, one = torch.zeros_like(t[:, 0]), torch.ones_like(t[:, 0])
        turn = torch.stack([t[:, 0], -t[:, 1], zero, t[:, 1], t[:, 0], zero, zero, zero, one], 1)
        move = torch.stack([one, zero, -t[:, 2], zero, one, -t[:, 3], zero, zero, one], 1)
        placed: Tensor = turn.view(-1, 3, 3) @ move.view(-1, 3, 3) @ self.transform
        return placed

    def forward(self, w: Tensor) -> Tensor:
        """w [N, w_dim] -> features [N, C, H, W]."""
        placed, config = self.placed(w), self.config
        phases = self.phases + (self.freqs @ placed[:, :2, 2:]).squeeze(2)  # [N, C]
        freqs = self.freqs @ placed[:, :2, :2]  # [N, C, 2]
        above = (freqs.norm(dim=2) - config.bandwidth) / (
            config.sampling_rate / 2 - config.bandwidth
        )
        loudness = (1 - above).clamp(0, 1)  # [N, C]: what would alias is silent
        width, height = config.size
        theta = torch.zeros(1, 2, 3, device=w.device)
        theta[0, 0, 0] = 0.5 * width / config.sampling_rate
        theta[0, 1, 1] = 0.5 * height / config.sampling_rate
        grid = F.affine_grid(theta, [1, 1, height, width], align_corners=False)  # [1, H, W, 2]
        x = grid.flatten(1, 2) @ freqs.transpose(1, 2)  # [N, H W, C]
        x = torch.sin((x + phases[:, None]) * (2 * math.pi)) * loudness[:, None]
        x = x @ (self.weight / math.sqrt(config.channels)).t()
        drawn: Tensor = x.transpose(1, 2).reshape(len(w), -1, height, width)  # [N, C, H, W]
        return drawn


class AliasFreeLayer(nn.Module):
    """A modulated convolution, then the activation at a higher rate than its neighbors'."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(self, config: LayerConfig, w_dim: int) -> None:
        super().__init__()
        self.config = config
        shape = (config.out_channels, config.in_channels, config.kernel, config.kernel)
        self.affine = EqualLinear(w_dim, config.in_channels, bias_init=1.0)
        self.weight = nn.Parameter(draw_normal(*shape))
        self.bias = nn.Parameter(torch.zeros(config.out_channels))
        self.register_buffer("magnitude_ema", torch.ones(()))
        for name, taps in (("up_filter", config.up_taps), ("down_filter", config.down_taps)):
            self.register_buffer(name, torch.zeros(taps) if taps else None)

    def convolve(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W], w [N, w_dim] -> [N, O, H + k - 1, W + k - 1].

        Scaling the input by the style and the output by the demodulation gives what the
        paper's weights per sample give, with one dense convolution.
        """
        config, modulation = self.config, self.affine(w)  # [N, I]
        input_gain = self.magnitude_ema.rsqrt()  # the tracked magnitude of x, appendix C.1
        weight: Tensor = self.weight  # [O, I, k, k]
        demodulation: Tensor | None = None
        if config.to_rgb:
            modulation = modulation / math.sqrt(config.in_channels * config.kernel**2)
        else:
            # Weights and modulation of unit magnitude, so that float16 does not overflow.
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            modulation = modulation * modulation.square().mean().rsqrt()
            power = weight.square().sum(dim=(2, 3))  # [O, I]
            demodulation = (modulation.square() @ power.t() + 1e-8).rsqrt()  # [N, O]
        # Modulate and convolve.
        x = x * (modulation * input_gain)[:, :, None, None]  # [N, I, H, W]
        x = F.conv2d(x, weight, padding=config.kernel - 1)  # [N, O, H + k - 1, W + k - 1]
        # Demodulate.
        return x if demodulation is None else x * demodulation[:, :, None, None]

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W], w [N, w_dim] -> [N, O, H', W']."""
        config = self.config
        x = self.convolve(x, w) + self.bias[None, :, None, None]
        x = _upsample(x, self.up_filter, config.up, config.padding)
        if not config.to_rgb:
            x = F.leaky_relu(x, LRELU_SLOPE) * LRELU_GAIN
        if config.clamp is not None:
            x = x.clamp(-config.clamp, config.clamp)
        return _downsample(x, self.down_filter, config.down)


def _upsample(
    x: Tensor, taps: Tensor | None, factor: int, padding: tuple[int, int, int, int]
) -> Tensor:
    """x [N, C, H, W]: zeros between samples, padded (negative: cropped), filtered."""
    if factor > 1:
        n, c, h, w = x.shape
        spread = x.new_zeros(n, c, h, factor, w, factor)
        spread[:, :, :, 0, :, 0] = x
        x = spread.reshape(n, c, h * factor, w * factor)
    if any(padding):
        x = F.pad(x, padding)
    return _filter(x, taps, gain=float(factor**2))


def _downsample(x: Tensor, taps: Tensor | None, factor: int) -> Tensor:
    """x [N, C, H, W]: filtered, then every ``factor``-th sample."""
    x = _filter(x, taps, gain=1.0)
    return x[:, :, ::factor, ::factor] if factor > 1 else x


def _filter(x: Tensor, taps: Tensor | None, gain: float) -> Tensor:
    """Each channel convolved with ``taps``; the picture shrinks by their length less one."""
    if taps is None:
        return x if gain == 1.0 else x * gain
    channels = x.shape[1]
    if taps.ndim == 2:
        kernel = (taps * gain).flip(0, 1).to(x).expand(channels, 1, -1, -1)
        return F.conv2d(x, kernel, groups=channels)
    row = (taps * gain**0.5).flip(0).to(x)
    x = F.conv2d(x, row.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(x, row[:, None].expand(channels, 1, -1, 1), groups=channels)


class StyleGAN3Synthesis(nn.Module):
    """Fourier features through all layers. Style 0 is the input's, style i + 1 layer i's."""

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.input = FourierInput(config.input, config.w_dim)
        self.layers = nn.ModuleList(AliasFreeLayer(one, config.w_dim) for one in config.layers)

    def forward(
        self, ws: Tensor, features: Sequence[int] = (), details: Details = NO_DETAILS
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """ws [N, num_ws, w_dim] -> picture [N, 3, R, R], about -1..1, and the wanted features."""
        x: Tensor = self.input(ws[:, 0])
        kept: dict[int, Tensor] = {}
        for place in range(len(self.layers)):
            x = self.step(place, x, ws, details)
            if place in features:
                kept[place] = x
        return x * self.config.output_scale, kept

    def step(self, place: int, x: Tensor, ws: Tensor, details: Details = NO_DETAILS) -> Tensor:
        """One layer: x [N, I, H, W] -> [N, O, H', W'], with its detail added."""
        check_layer_cancelled()
        y: Tensor = self.layers[place](x, ws[:, place + 1])
        return y + details[place].to(y) if place in details else y

    def mix(
        self,
        ws: tuple[Tensor, Tensor],
        layers: range,
        mask: Tensor,
        details: tuple[Details, Details] = (NO_DETAILS, NO_DETAILS),
    ) -> Tensor:
        """A's picture with B's styles in `layers` where the mask is 1 -> [N, 3, R, R].

        ws: A's and B's [N, num_ws, w_dim]; mask [N or 1, 1, H, W] in 0..1 over the picture. Style
        0 places the whole picture, so it is B's only when the mask is 1 everywhere.
        """
        (ws_a, ws_b), (own, other) = ws, details
        everywhere = bool((mask == 1).all())
        x: Tensor = self.input(ws_b[:, 0] if 0 in layers and everywhere else ws_a[:, 0])
        for place in range(len(self.layers)):
            before = x
            x = self.step(place, before, ws_a, own)
            if place + 1 in layers:
                inside = self.seen_by(place, mask.to(x), len(x))  # [N, 1, H', W']
                x = torch.lerp(x, self.step(place, before, ws_b, other), inside)
        return x * self.config.output_scale

    def seen_by(self, place: int, mask: Tensor, count: int) -> Tensor:
        """The mask as a layer sees it, margins included: [N, 1, H', W']."""
        layer: AliasFreeLayer = self.layers[place]  # type: ignore[assignment]
        width, height = layer.config.out_size
        theta = torch.zeros(count, 2, 3, device=mask.device)
        theta[:, 0, 0], theta[:, 1, 1] = width / layer.config.rate, height / layer.config.rate
        grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)
        mask = mask.expand(count, -1, -1, -1)
        return F.grid_sample(mask, grid, padding_mode="border", align_corners=False)


class StyleGAN3(MappedNetwork):
    """z -> w -> one style per layer -> picture. The network has no noise."""

    architecture = "stylegan3"
    config: StyleGAN3Config

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = StyleGAN3Synthesis(config)
        self.metadata: dict[str, str] = {}
