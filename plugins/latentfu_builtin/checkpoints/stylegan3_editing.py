"""StyleGAN3 as a bare state dict, as stylegan3-editing keeps it: weights and names of layers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, tensors_of
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.nvlabs_stylegan3 import SOURCE, checked, take_layer, take_mapping
from latentfu_builtin.checkpoints.rosinality import member_tensors
from latentfu_builtin.checkpoints.stylegan2 import Tensors
from latentfu_builtin.checkpoints.stylegan3_sizes import (
    CLAMP,
    OUTPUT_SCALE,
    bands_of,
    resampling_of,
)

NAME = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")
Array = NDArray[Any]


def convert(foreign: ForeignFile) -> ConvertedWeights | None:
    """From a state dict by itself, or the decoder of an encoder; None for anything else."""
    for state in (tensors_of(foreign.content), member_tensors(foreign, "decoder.")):
        if "synthesis.input.freqs" in state:
            return network(Tensors(state, SOURCE))
    return None


def network(tensors: Tensors) -> ConvertedWeights:
    """The tensors as ours, with the sizes that follow from the names."""
    names = names_of(tensors)
    ours: dict[str, Array] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    labels = "mapping.embed.weight" in tensors
    c_dim = tensors.found["mapping.embed.weight"].shape[1] if labels else 0
    depth = take_mapping(tensors, ours, c_dim)
    for part in ("affine.weight", "affine.bias", "weight", "freqs", "phases"):
        ours[f"synthesis.input.{part}"] = tensors.take(f"synthesis.input.{part}")
    ours["synthesis.input.transform"] = (
        tensors.take("synthesis.input.transform", (3, 3))
        if "synthesis.input.transform" in tensors
        else np.eye(3, dtype=np.float32)  # left out where pictures are not aligned
    )
    for place, name in enumerate(names):
        take_layer(tensors, ours, name, place)
    tensors.finish()
    return checked(ours, config_of(ours, names, c_dim, depth))


def names_of(tensors: Tensors) -> list[str]:
    """The names of the layers in their order; BadInputError where one is missing."""
    found = sorted((int(m[2]), m[1]) for m in map(NAME.fullmatch, tensors.found) if m)
    numbers = [number for number, _ in found]
    if len(found) < 4 or numbers != list(range(len(found))):
        raise BadInputError(f"This {SOURCE} network has the layers {numbers}: some are missing.")
    return [name for _, name in found]


def config_of(ours: dict[str, Array], names: list[str], c_dim: int, depth: int) -> Any:
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
        layers=tuple(layer_of(ours, names, bands, place) for place in range(len(names))),
    )


def layer_of(ours: dict[str, Array], names: list[str], bands: list[Any], place: int) -> Any:
    """One layer's sizes; the filters' shapes are those that the file has."""
    from latentfu_builtin.networks.stylegan.stylegan3 import LayerConfig

    weight = ours[f"synthesis.layers.{place}.weight"]
    band, to_rgb = bands[place], place == len(names) - 1
    way = resampling_of(bands[max(place - 1, 0)], band, weight.shape[2], to_rgb)
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
