"""NVIDIA's PyTorch pickles of StyleGAN3, T and R."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.nvlabs_torch import (
    generator_of,
    label_count,
    state_dict,
    submodule,
)
from latentfu_builtin.checkpoints.stylegan2 import Tensors

SOURCE = "StyleGAN3"


def convert(foreign: ForeignFile) -> ConvertedWeights | None:
    """From ``{"G_ema": Generator}`` or a Generator by itself; None for anything else."""
    network = generator_of(foreign)
    if network is None or submodule(network, "synthesis", "input") is None:
        return None
    return stylegan3(network)


def stylegan3(network: OpaqueObject) -> ConvertedWeights:
    """The tensors of NVIDIA's Generator as ours; the sizes are those that its layers say."""
    synthesis = submodule(network, "synthesis")
    names = synthesis.state.get("layer_names") if synthesis else None
    if synthesis is None or not isinstance(names, list):
        raise BadInputError(f"This {SOURCE} network does not name its layers.")
    tensors = Tensors(dict(state_dict(network)), SOURCE)
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    count = take_mapping(tensors, ours, label_count(network))
    for part in ("affine.weight", "affine.bias", "weight", "transform", "freqs", "phases"):
        ours[f"synthesis.input.{part}"] = tensors.take(f"synthesis.input.{part}")
    for place, name in enumerate(names):
        take_layer(tensors, ours, str(name), place)
    tensors.finish()
    return checked(ours, config_of(network, synthesis, names, count))


def take_mapping(tensors: Tensors, ours: dict[str, NDArray[Any]], c_dim: int) -> int:
    """The mapping network and the embedding of labels; how many layers there are."""
    place = 0
    while f"mapping.fc{place}.weight" in tensors:
        for part in ("weight", "bias"):
            ours[f"mapping.layers.{place}.{part}"] = tensors.take(f"mapping.fc{place}.{part}")
        place += 1
    for part in ("weight", "bias") if c_dim else ():
        ours[f"mapping.embed.{part}"] = tensors.take(f"mapping.embed.{part}")
    return place


def take_layer(tensors: Tensors, ours: dict[str, NDArray[Any]], name: str, place: int) -> None:
    """One layer, with the filters that it has."""
    theirs, mine = f"synthesis.{name}", f"synthesis.layers.{place}"
    for part in ("affine.weight", "affine.bias", "weight", "bias", "magnitude_ema"):
        ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")
    for part in ("up_filter", "down_filter"):
        if f"{theirs}.{part}" in tensors:
            ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")


def config_of(
    network: OpaqueObject, synthesis: OpaqueObject, names: list[Any], mapping_layers: int
) -> Any:
    """Our config from what the modules say of themselves."""
    from latentfu_builtin.networks.stylegan.stylegan3 import InputConfig, StyleGAN3Config

    begin = submodule(synthesis, "input")
    assert begin is not None
    try:
        state = begin.state
        width, height = (int(n) for n in state["size"])
        return StyleGAN3Config(
            resolution=int(network.state["img_resolution"]),
            z_dim=int(network.state["z_dim"]),
            w_dim=int(network.state["w_dim"]),
            c_dim=label_count(network),
            mapping_layers=mapping_layers,
            mapping_lr_multiplier=0.01,
            output_scale=float(synthesis.state["output_scale"]),
            input=InputConfig(
                channels=int(state["channels"]),
                size=(width, height),
                sampling_rate=float(state["sampling_rate"]),
                bandwidth=float(state["bandwidth"]),
            ),
            layers=tuple(layer_config(submodule(synthesis, str(name))) for name in names),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"This {SOURCE} network does not say its sizes ({error}).") from error


def layer_config(layer: OpaqueObject | None) -> Any:
    """One layer's sizes."""
    from latentfu_builtin.networks.stylegan.stylegan3 import LayerConfig

    state = layer.state if layer else {}
    buffers = state["_buffers"]
    clamp = state.get("conv_clamp")
    left, right, top, bottom = (int(n) for n in state["padding"])
    width, height = (int(n) for n in state["out_size"])
    return LayerConfig(
        in_channels=int(state["in_channels"]),
        out_channels=int(state["out_channels"]),
        out_size=(width, height),
        rate=float(state["out_sampling_rate"]),
        kernel=int(state["conv_kernel"]),
        up=int(state["up_factor"]),
        down=int(state["down_factor"]),
        padding=(left, right, top, bottom),
        to_rgb=bool(state["is_torgb"]),
        clamp=None if clamp is None else float(clamp),
        up_taps=shape_of(buffers.get("up_filter")),
        down_taps=shape_of(buffers.get("down_filter")),
    )


def shape_of(taps: Any) -> tuple[int, ...]:
    """The shape of a filter, () where there is none."""
    return tuple(taps.shape) if isinstance(taps, np.ndarray) else ()


def checked(ours: dict[str, NDArray[Any]], config: Any) -> ConvertedWeights:
    """The file, when every tensor fits the config."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan3 import StyleGAN3

    with torch.device("meta"):
        expected = StyleGAN3(config).state_dict()
    for name, tensor in expected.items():
        have = ours[name].shape if name in ours else None
        if have != tuple(tensor.shape):
            raise BadInputError(
                f"This {SOURCE} network has {name} of shape {have and list(have)}, expected "
                f"{list(tensor.shape)}."
            )
    floats = {name: np.array(ours[name], np.float32, order="C") for name in expected}
    return ConvertedWeights(floats, {"architecture": "stylegan3", "config": config.to_json()})
