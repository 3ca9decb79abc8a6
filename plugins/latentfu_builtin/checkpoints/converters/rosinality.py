"""rosinality's stylegan2-pytorch: a dict with ``g_ema``, or the same tensors elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import ConvertedWeights, ForeignFile
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.find_tensors import StateDict
from latentfu_builtin.checkpoints.fit_network import fit_stylegan2, with_mean
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors
from latentfu_builtin.checkpoints.state_dict import Tensors, flip_kernel

SOURCE = "rosinality"
ATTENTION = "style.1.atten.q_transform.weight"
"""Of the variant with an attention mapping, which is a format of its own."""


STATE = HasTensors(("input.input", "conv1.conv.weight"), (ATTENTION,), decoder=False)


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """From ``{"g_ema": ..., "latent_avg": ...}`` and its kin."""
    return convert_state(STATE.find(foreign) or StateDict())


def convert_state(state: StateDict) -> ConvertedWeights:
    """rosinality's tensors as ours; without a mean w that of 10,000 w is taken.

    The mean may be given once for each layer; the first is taken.
    """
    tensors = Tensors(state, SOURCE, "StyleGAN2")
    ours: dict[str, NDArray[Any]] = {}
    for place in range(sum(name.startswith("style.") for name in state.tensors) // 2):
        ours[f"mapping.layers.{place}.weight"] = tensors.take(f"style.{place + 1}.weight")
        ours[f"mapping.layers.{place}.bias"] = tensors.take(f"style.{place + 1}.bias")
    w_dim = ours["mapping.layers.0.weight"].shape[0] if ours else 0
    take_synthesis(tensors, ours)
    tensors.finish()
    average = state.average
    if average is None or average.size == 0 or average.shape[-1] != w_dim:
        ours["mapping.w_avg"] = np.zeros(w_dim, np.float32)
        return tensors.label(with_mean(fit_stylegan2(ours), 10_000))
    ours["mapping.w_avg"] = np.asarray(average, np.float32).reshape(-1)[:w_dim]
    return tensors.label(fit_stylegan2(ours))


def take_synthesis(tensors: Tensors, ours: dict[str, NDArray[Any]]) -> None:
    """The constant, all convolutions and colors."""
    ours["synthesis.const"] = tensors.take("input.input", (1, None, 4, 4))[0]
    names = tensors.found
    count = 1 + sum(n.startswith("convs.") and n.endswith(".conv.weight") for n in names)
    for layer in range(count):
        _take_layer(tensors, ours, layer)
    for place in range(1 + count // 2):
        _take_rgb(tensors, ours, place)


def _take_layer(tensors: Tensors, ours: dict[str, NDArray[Any]], layer: int) -> None:
    """One styled convolution; those with an odd number double the size."""
    theirs = "conv1" if layer == 0 else f"convs.{layer - 1}"
    mine, side = f"synthesis.convs.{layer}", 4 << ((layer + 1) // 2)
    weight = tensors.take(f"{theirs}.conv.weight", (1, None, None, 3, 3))[0]
    ours[f"{mine}.weight"] = flip_kernel(weight) if layer % 2 else weight
    ours[f"{mine}.affine.weight"] = tensors.take(f"{theirs}.conv.modulation.weight")
    ours[f"{mine}.affine.bias"] = tensors.take(f"{theirs}.conv.modulation.bias")
    ours[f"{mine}.bias"] = tensors.take(f"{theirs}.activate.bias").reshape(-1)
    ours[f"{mine}.noise_strength"] = tensors.one(f"{theirs}.noise.weight")
    noise = f"noises.noise_{layer}"
    known = noise in tensors
    ours[f"{mine}.noise_const"] = (
        tensors.take(noise, (1, 1, side, side))[0, 0] if known else np.zeros((side, side), "f4")
    )
    tensors.check_filter(f"{theirs}.conv.blur.kernel")


def _take_rgb(tensors: Tensors, ours: dict[str, NDArray[Any]], place: int) -> None:
    """The layer that makes colors at one size."""
    theirs = "to_rgb1" if place == 0 else f"to_rgbs.{place - 1}"
    mine = f"synthesis.rgbs.{place}"
    weight = tensors.take(f"{theirs}.conv.weight", (1, None, None, 1, 1))[0]
    bias = tensors.take(f"{theirs}.bias", (1, None, 1, 1)).reshape(-1)
    ours[f"{mine}.weight"], ours[f"{mine}.bias"] = tensors.three_colors(weight, bias)
    ours[f"{mine}.affine.weight"] = tensors.take(f"{theirs}.conv.modulation.weight")
    ours[f"{mine}.affine.bias"] = tensors.take(f"{theirs}.conv.modulation.bias")
    tensors.check_filter(f"{theirs}.upsample.kernel")


FORMAT = ForeignFormat.declare(
    "rosinality",
    "stylegan2-pytorch by rosinality",
    recognize=STATE,
    convert=convert,
    files="StyleGAN2 `.pt` with `g_ema`, `g`, `generator` or by itself",
    publisher="rosinality and what follows it",
    told_by="`conv1.conv.weight` and its kin",
)
