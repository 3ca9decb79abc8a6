"""The synthesis network: from styles to pictures, whole or one layer at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, overload

import torch
import torch.nn.functional as F
from latentfu import Noise
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import (
    LRELU_GAIN,
    LRELU_SLOPE,
    draw_normal,
    fir_kernel,
    upsample_2x,
)
from latentfu_builtin.networks.stylegan.mapped_network import (
    NO_DETAILS,
    Details,
    check_layer_cancelled,
)
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.layers import ModulatedConv, NoisyConv
from latentfu_builtin.networks.stylegan.torch_compat import may_overwrite
from latentfu_builtin.networks.stylegan.weight_offsets import split_maps, split_noise

ONE_BY_ONE_FROM = 64
"""On a CPU the layers of this many pixels and more are done for one picture at a time."""


class SynthesisState(NamedTuple):
    """What is known after some layers: features x [N, C, H, W] and the picture so far.

    rgb [N, 3, H', W'] is the sum of the toRGB outputs (None before the first); layer counts
    the layers already done. A state is never changed, so it can be kept and continued twice.
    """

    x: Tensor
    rgb: Tensor | None
    layer: int


class Synthesis(nn.Module):
    """StyleGAN2's synthesis network with skip connections (toRGB at each resolution).

    Layers are numbered 0 .. num_layers - 1: one convolution at 4 px, two at each larger size.
    Layer i reads ws[:, i]; the toRGB after the last layer i of a size reads ws[:, i + 1].
    """

    kernel: Tensor

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.const = nn.Parameter(draw_normal(config.channels[0], 4, 4))
        self.convs = nn.ModuleList()
        for layer in range(config.num_layers):
            inputs = config.channels[0] if layer == 0 else config.layer_channels(layer - 1)
            outputs, resolution = config.layer_channels(layer), config.layer_resolution(layer)
            self.convs.append(NoisyConv(inputs, outputs, config.w_dim, resolution, layer % 2 == 1))
        self.rgbs = nn.ModuleList(
            ModulatedConv(channels, 3, 1, config.w_dim, demodulate=False)
            for channels in config.channels
        )
        self.register_buffer("kernel", fir_kernel(4.0), persistent=False)

    def start(self, n: int, dtype: torch.dtype = torch.float32) -> SynthesisState:
        """The state before layer 0, for n pictures: the learned 4 x 4 constant.

        dtype: what the features of all layers are computed in; the picture is always float32.
        """
        const = self.const.to(dtype).expand(n, -1, -1, -1)
        return SynthesisState(const.contiguous(memory_format=torch.channels_last), None, 0)

    def features(
        self,
        layer: int,
        x: Tensor,
        w: Tensor,
        noise: Noise = "const",
        cache_kernels: bool = False,
    ) -> Tensor:
        """x [N, C, H, W], w [N, w_dim] -> the features after `layer` [N, C', H', W']."""
        conv: NoisyConv = self.convs[layer]  # type: ignore[assignment]
        y: Tensor = conv(x, w, conv.noise_map(noise, layer, x), LRELU_GAIN, cache_kernels)
        return self.clamp_features(F.leaky_relu(y, LRELU_SLOPE, inplace=may_overwrite(y)))

    def clamp_features(self, x: Tensor) -> Tensor:
        """x, within the largest magnitude that the network was trained with."""
        limit = self.config.conv_clamp
        return x if limit is None else x.clamp(-limit, limit)

    def to_rgb(self, layer: int, x: Tensor, w: Tensor) -> Tensor:
        """Features after `layer` (the last of its size) -> their part of the picture, float32."""
        y: Tensor = self.rgbs[layer // 2](x, w)
        return self.clamp_features(y).float()

    def add_rgb(self, rgb: Tensor | None, part: Tensor) -> Tensor:
        """The picture so far [N, 3, H/2, W/2] doubled, plus the new part [N, 3, H, W]."""
        if rgb is None:
            return part
        with torch.autocast(part.device.type, enabled=False):
            return upsample_2x(rgb, self.kernel) + part

    def step(
        self,
        i: int,
        state: SynthesisState,
        ws: Tensor,
        noise: Noise = "const",
        details: Details = NO_DETAILS,
        *,
        cache_kernels: bool = False,
    ) -> SynthesisState:
        """Do layer i (and toRGB when it is the last of its size): state before -> state after.

        ws: [N, num_ws, w_dim]; of it only ws[:, i] and ws[:, i + 1] are read. `details` are
        added to the features of their layers. cache_kernels: take memory for the next picture's
        speed. Raises CancelledError where nobody waits for the picture any more.
        """
        if state.layer != i:
            raise ValueError(f"the state is at layer {state.layer}, so layer {i} cannot be next")
        check_layer_cancelled()
        x = self.features(i, state.x, ws[:, i], noise, cache_kernels)  # [N, C, R, R]
        return self.complete_step(i, x, state.rgb, ws, details)

    def complete_step(
        self, i: int, x: Tensor, rgb: Tensor | None, ws: Tensor, details: Details
    ) -> SynthesisState:
        """Features x of layer i and the picture before it -> the state that `step` gives."""
        if i in details:
            x = x + details[i].to(x)
        if i % 2:
            return SynthesisState(x, rgb, i + 1)
        part = self.to_rgb(i, x, ws[:, i + 1])  # [N, 3, R, R]
        return SynthesisState(x, self.add_rgb(rgb, part), i + 1)

    def finish(self, state: SynthesisState) -> Tensor:
        """The picture [N, 3, R, R], about -1..1, of a state after the last layer."""
        if state.rgb is None or state.layer != self.config.num_layers:
            raise ValueError(f"the state is at layer {state.layer} of {self.config.num_layers}")
        return state.rgb

    @overload
    def forward(
        self,
        ws: Tensor,
        *,
        noise: Noise = "const",
        details: Details = NO_DETAILS,
        dtype: torch.dtype = ...,
    ) -> Tensor: ...

    @overload
    def forward(
        self,
        ws: Tensor,
        *,
        noise: Noise = "const",
        features: Sequence[int],
        details: Details = NO_DETAILS,
        dtype: torch.dtype = ...,
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def forward(
        self,
        ws: Tensor,
        *,
        noise: Noise = "const",
        features: Sequence[int] = (),
        details: Details = NO_DETAILS,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """ws [N, num_ws, w_dim] -> picture [N, 3, R, R], float32, about -1..1.

        With `features` (layer numbers) also a dict of those layers' outputs [N, C, H, W].
        dtype: what the features are computed in.
        """
        self.check(ws)
        state = self.start(ws.shape[0], dtype)
        if not features and self._draws_one_by_one(state):
            return self._forward_one_by_one(state, ws, noise, details)
        kept: dict[int, Tensor] = {}
        for i in range(self.config.num_layers):
            state = self.step(i, state, ws, noise, details)
            if i in features:
                kept[i] = state.x
        image = self.finish(state)
        return (image, kept) if features else image

    def _draws_one_by_one(self, state: SynthesisState) -> bool:
        """Whether the pictures of a batch are better drawn one after the other, where large."""
        if torch.compiler.is_compiling():  # the loop would be laid out once for each picture
            return False
        several = len(state.x) > 1 and self.config.resolution >= ONE_BY_ONE_FROM
        return several and state.x.device.type == "cpu" and may_overwrite(state.x)

    def _forward_one_by_one(
        self, state: SynthesisState, ws: Tensor, noise: Noise, details: Details
    ) -> Tensor:
        """As `forward`: small layers for all pictures at once, large ones for each alone.

        Small layers are mostly weights to be read. Large ones are features, and those of one
        picture stay nearer to the processor, and need the memory of one.
        """
        layers = range(self.config.num_layers)
        first = next(i for i in layers if self.config.layer_resolution(i) >= ONE_BY_ONE_FROM)
        for i in range(first):
            state = self.step(i, state, ws, noise, details)
        pictures = []
        own_noise = split_noise(noise, len(ws))
        own_details = split_maps(details, len(ws))
        for n in range(len(ws)):
            here = slice(n, n + 1)
            rgb = None if state.rgb is None else state.rgb[here]
            one = SynthesisState(state.x[here], rgb, first)
            for i in layers[first:]:
                one = self.step(i, one, ws[here], own_noise[n], own_details[n])
            pictures.append(self.finish(one))
        return torch.cat(pictures)

    def check(self, ws: Tensor) -> None:
        """ValueError unless ws is [N, num_ws, w_dim]."""
        expected = (self.config.num_ws, self.config.w_dim)
        if ws.ndim != 3 or tuple(ws.shape[1:]) != expected:
            raise ValueError(
                f"styles must have the shape [N, {expected[0]}, {expected[1]}], "
                f"not {list(ws.shape)}"
            )


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
