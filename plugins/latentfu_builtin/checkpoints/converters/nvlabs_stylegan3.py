"""NVIDIA's PyTorch pickles of StyleGAN3, T and R."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.find_tensors import list_tensors
from latentfu_builtin.checkpoints.fit_network import fit_stylegan3
from latentfu_builtin.checkpoints.formats import ForeignFormat
from latentfu_builtin.checkpoints.state_dict import (
    Tensors,
    count_labels,
    find_torch_generator,
    submodule,
)

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.stylegan3 import LayerConfig, StyleGAN3Config

SOURCE = "StyleGAN3"


def recognize(foreign: ForeignFile) -> bool:
    """Whether there is a Generator with an input, in ``{"G_ema": Generator}`` or by itself."""
    return submodule(find_torch_generator(foreign), "synthesis", "input") is not None


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """The tensors of NVIDIA's Generator as ours; the sizes are those that its layers say."""
    network = find_torch_generator(foreign)
    assert network is not None  # or it were not recognized
    synthesis = submodule(network, "synthesis")
    names = synthesis.state.get("layer_names") if synthesis else None
    if synthesis is None or not isinstance(names, list):
        raise BadInputError(f"This {SOURCE} network does not name its layers.")
    tensors = Tensors(dict(list_tensors(network)), SOURCE, SOURCE)
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    count = take_stylegan3_mapping(tensors, ours, count_labels(network))
    for part in ("affine.weight", "affine.bias", "weight", "transform", "freqs", "phases"):
        ours[f"synthesis.input.{part}"] = tensors.take(f"synthesis.input.{part}")
    for place, name in enumerate(names):
        take_stylegan3_layer(tensors, ours, str(name), place)
    tensors.finish()
    config = _config_of(network, synthesis, names, count)
    return finish_colors(tensors, ours, config)


def finish_colors(
    tensors: Tensors, ours: dict[str, NDArray[Any]], config: StyleGAN3Config
) -> ConvertedWeights:
    """Fit the tensors to their config, with three colors made of what the last layer draws."""
    last = len(config.layers) - 1
    mine = f"synthesis.layers.{last}"
    weight, bias = tensors.three_colors(ours[f"{mine}.weight"], ours[f"{mine}.bias"])
    ours |= {f"{mine}.weight": weight, f"{mine}.bias": bias}
    layers = (*config.layers[:last], replace(config.layers[last], out_channels=3))
    return tensors.label(fit_stylegan3(ours, replace(config, layers=layers)))


def take_stylegan3_mapping(tensors: Tensors, ours: dict[str, NDArray[Any]], c_dim: int) -> int:
    """The mapping network and the embedding of labels; how many layers there are."""
    place = 0
    while f"mapping.fc{place}.weight" in tensors:
        for part in ("weight", "bias"):
            ours[f"mapping.layers.{place}.{part}"] = tensors.take(f"mapping.fc{place}.{part}")
        place += 1
    for part in ("weight", "bias") if c_dim else ():
        ours[f"mapping.embed.{part}"] = tensors.take(f"mapping.embed.{part}")
    return place


def take_stylegan3_layer(
    tensors: Tensors, ours: dict[str, NDArray[Any]], name: str, place: int
) -> None:
    """One layer, with the filters that it has."""
    theirs, mine = f"synthesis.{name}", f"synthesis.layers.{place}"
    for part in ("affine.weight", "affine.bias", "weight", "bias", "magnitude_ema"):
        ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")
    for part in ("up_filter", "down_filter"):
        if f"{theirs}.{part}" in tensors:
            ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")


def _config_of(
    network: OpaqueObject, synthesis: OpaqueObject, names: list[Any], mapping_layers: int
) -> StyleGAN3Config:
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
            c_dim=count_labels(network),
            mapping_layers=mapping_layers,
            mapping_lr_multiplier=0.01,
            output_scale=float(synthesis.state["output_scale"]),
            input=InputConfig(
                channels=int(state["channels"]),
                size=(width, height),
                sampling_rate=float(state["sampling_rate"]),
                bandwidth=float(state["bandwidth"]),
            ),
            layers=tuple(_layer_config(submodule(synthesis, str(name))) for name in names),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"This {SOURCE} network does not say its sizes ({error}).") from error


def _layer_config(layer: OpaqueObject | None) -> LayerConfig:
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
        up_taps=_shape_of(buffers.get("up_filter")),
        down_taps=_shape_of(buffers.get("down_filter")),
    )


def _shape_of(taps: Any) -> tuple[int, ...]:
    """The shape of a filter, () where there is none."""
    return tuple(taps.shape) if isinstance(taps, np.ndarray) else ()


FORMAT = ForeignFormat.declare(
    "nvlabs-sg3",
    "StyleGAN3, NVIDIA's pickle",
    recognize=recognize,
    convert=convert,
    files="StyleGAN3 `.pkl`, T and R",
    publisher="NVIDIA, PyTorch",
    told_by="`G_ema` with `synthesis.input`",
)
