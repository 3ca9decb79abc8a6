"""StyleGAN3 as a bare state dict, as stylegan3-editing keeps it: weights and names of layers.

Such a file has no sizes. They follow from the resolution: cutoff and stopband of each layer grow
geometrically from the first to the last, and rates, margins and filters from them (Karras et al.
2021, arXiv 2106.12423, section 3.2 and appendix D).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.converters.nvlabs_stylegan3 import (
    SOURCE,
    finish_colors,
    take_stylegan3_layer,
    take_stylegan3_mapping,
)
from latentfu_builtin.checkpoints.find_tensors import StateDict
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors
from latentfu_builtin.checkpoints.state_dict import Tensors

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.stylegan3 import LayerConfig, StyleGAN3Config

NAME = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")
Array = NDArray[Any]
FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2**2.1
LAST_STOPBAND = 2**0.3
"""As a part of the last layer's cutoff."""
CRITICAL = 2
"""So many layers at the end are sampled at their limit."""
MARGIN = 10
TAPS = 6
CLAMP = 256.0
OUTPUT_SCALE = 0.25


STATE = HasTensors(("synthesis.input.freqs",), modules=False)


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """From a state dict by itself, or the decoder of an encoder; sizes follow from the names."""
    tensors = Tensors(STATE.find(foreign) or StateDict(), SOURCE, SOURCE)
    names = _names_of(tensors)
    ours: dict[str, Array] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    labels = "mapping.embed.weight" in tensors
    c_dim = tensors.found["mapping.embed.weight"].shape[1] if labels else 0
    depth = take_stylegan3_mapping(tensors, ours, c_dim)
    for part in ("affine.weight", "affine.bias", "weight", "freqs", "phases"):
        ours[f"synthesis.input.{part}"] = tensors.take(f"synthesis.input.{part}")
    ours["synthesis.input.transform"] = (
        tensors.take("synthesis.input.transform", (3, 3))
        if "synthesis.input.transform" in tensors
        else np.eye(3, dtype=np.float32)  # left out where pictures are not aligned
    )
    for place, name in enumerate(names):
        take_stylegan3_layer(tensors, ours, name, place)
    tensors.finish()
    return finish_colors(tensors, ours, _config_of(ours, names, c_dim, depth))


def _names_of(tensors: Tensors) -> list[str]:
    """The names of the layers in their order; BadInputError where one is missing."""
    found = sorted((int(m[2]), m[1]) for m in map(NAME.fullmatch, tensors.found) if m)
    numbers = [number for number, _ in found]
    if len(found) < 4 or numbers != list(range(len(found))):
        raise BadInputError(f"This {SOURCE} network has the layers {numbers}: some are missing.")
    return [name for _, name in found]


def _config_of(ours: dict[str, Array], names: list[str], c_dim: int, depth: int) -> StyleGAN3Config:
    """Our config; BadInputError where the names are not those of the usual sizes."""
    from latentfu_builtin.networks.stylegan.stylegan3 import InputConfig, StyleGAN3Config

    sizes = [int(name.split("_")[1]) for name in names]
    bands = bands_of(sizes[-1], len(names) - 1)
    for name, size, band in zip(names, sizes, bands, strict=True):
        if size != band.size:
            raise BadInputError(
                f"This {SOURCE} network has the layer {name} where one of {band.size} samples was "
                "expected: its sizes are not the usual ones, and the file does not tell them."
            )
    w_dim = ours["mapping.w_avg"].shape[0]
    first, begin = bands[0], ours["synthesis.input.weight"]
    return StyleGAN3Config(
        resolution=sizes[-1],
        z_dim=ours["mapping.layers.0.weight"].shape[1] - (w_dim if c_dim else 0),
        w_dim=w_dim,
        c_dim=c_dim,
        mapping_layers=depth,
        mapping_lr_multiplier=0.01,
        output_scale=OUTPUT_SCALE,
        input=InputConfig(
            channels=begin.shape[0],
            size=(first.size, first.size),
            sampling_rate=float(first.rate),
            bandwidth=first.cutoff,
        ),
        layers=tuple(_layer_of(ours, names, bands, place) for place in range(len(names))),
    )


def _layer_of(
    ours: dict[str, Array], names: list[str], bands: list[Band], place: int
) -> LayerConfig:
    """One layer's sizes; the filters' shapes are those that the file has."""
    from latentfu_builtin.networks.stylegan.stylegan3 import LayerConfig

    weight = ours[f"synthesis.layers.{place}.weight"]
    band, to_rgb = bands[place], place == len(names) - 1
    way = _resampling_of(bands[max(place - 1, 0)], band, weight.shape[2], to_rgb)
    taps = {}
    for part, count in (("up_filter", way.up_taps), ("down_filter", way.down_taps)):
        held = ours.get(f"synthesis.layers.{place}.{part}")
        taps[part] = () if held is None else held.shape
        if taps[part] not in ((), (count,), (count, count)) or (count > 1) != bool(taps[part]):
            raise BadInputError(
                f"This {SOURCE} network has {names[place]}.{part} of shape {list(taps[part])}, "
                f"expected {count} taps."
            )
    return LayerConfig(
        in_channels=weight.shape[1],
        out_channels=weight.shape[0],
        out_size=(band.size, band.size),
        rate=float(band.rate),
        kernel=weight.shape[2],
        up=way.up,
        down=way.down,
        padding=way.padding,
        to_rgb=to_rgb,
        clamp=CLAMP,
        up_taps=taps["up_filter"],
        down_taps=taps["down_filter"],
    )


@dataclass(frozen=True)
class Band:
    """What a layer's output holds: ``cutoff`` in cycles, ``rate`` and ``size`` in samples."""

    cutoff: float
    rate: int
    size: int


def bands_of(resolution: int, layers: int) -> list[Band]:
    """The bands of ``layers`` layers, and of the one that makes colors."""
    last = resolution / 2
    found = []
    for place in range(layers + 1):
        part = min(place / (layers - CRITICAL), 1.0)
        cutoff = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** part
        stopband = FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** part
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        size = resolution if place >= layers - 1 else rate + 2 * MARGIN
        found.append(Band(cutoff, rate, size))
    return found


@dataclass(frozen=True)
class Resampling:
    """How a layer resamples; as many taps as 1 mean no filter."""

    up: int
    down: int
    up_taps: int
    down_taps: int
    padding: tuple[int, int, int, int]


def _resampling_of(before: Band, after: Band, kernel: int, to_rgb: bool) -> Resampling:
    """From one band to the next: up, the activation at twice the larger rate, and down."""
    between = max(before.rate, after.rate) * (1 if to_rgb else 2)
    up, down = between // before.rate, between // after.rate
    up_taps = TAPS * up if up > 1 and not to_rgb else 1
    down_taps = TAPS * down if down > 1 and not to_rgb else 1
    wanted = (after.size - 1) * down + 1
    total = wanted - (before.size + kernel - 1) * up + up_taps + down_taps - 2
    low = (total + up) // 2
    return Resampling(up, down, up_taps, down_taps, (low, total - low, low, total - low))


FORMAT = ForeignFormat.declare(
    "stylegan3-editing",
    "StyleGAN3, weights by themselves",
    recognize=STATE,
    convert=convert,
    files="StyleGAN3 as a bare state dict, T and R, and the decoder of its encoders",
    publisher="stylegan3-editing",
    told_by="`synthesis.input.freqs`",
)
