"""NVIDIA's PyTorch pickles of StyleGAN2-ADA, and tuned networks as PTI saves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.stylegan2 import Tensors, converted, flipped

SOURCE = "StyleGAN2-ADA"


def convert(foreign: ForeignFile) -> ConvertedWeights | None:
    """From ``{"G_ema": Generator}`` or a Generator by itself; None for anything else."""
    network = generator_of(foreign)
    if network is None or submodule(network, "synthesis", "b4") is None:
        return None
    return stylegan2(network)


def generator_of(foreign: ForeignFile) -> OpaqueObject | None:
    """The averaged generator in a file, else the generator itself."""
    content = foreign.content
    if isinstance(content, dict):
        content = content.get("G_ema") or content.get("G")
    is_module = isinstance(content, OpaqueObject) and isinstance(
        content.state.get("_modules"), dict
    )
    return content if is_module else None


def submodule(thing: OpaqueObject | None, *names: str) -> OpaqueObject | None:
    """A module below a module."""
    for name in names:
        below = thing.state.get("_modules") if thing else None
        found = below.get(name) if isinstance(below, dict) else None
        thing = found if isinstance(found, OpaqueObject) else None
    return thing


def state_dict(thing: OpaqueObject, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Parameters and buffers of a module and those below it, by their full names."""
    for kind in ("_parameters", "_buffers"):
        held = thing.state.get(kind)
        for name, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, np.ndarray):
                yield prefix + name, value
    below = thing.state.get("_modules")
    for name, module in below.items() if isinstance(below, dict) else ():
        if isinstance(module, OpaqueObject):
            yield from state_dict(module, f"{prefix}{name}.")


def stylegan2(network: OpaqueObject) -> ConvertedWeights:
    """The tensors of NVIDIA's Generator as ours."""
    tensors = Tensors(dict(state_dict(network)), SOURCE)
    resolution, c_dim = int(network.state.get("img_resolution", 0)), label_count(network)
    if network.state.get("img_channels", 3) != 3:
        raise BadInputError(f"This {SOURCE} network draws no three colours.")
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    take_mapping(tensors, ours, c_dim)
    sides = [2**k for k in range(2, resolution.bit_length())]
    for place, side in enumerate(sides):
        take_block(tensors, ours, place, side)
    check_blocks(network, sides)
    tensors.finish()
    return converted(ours, c_dim=c_dim, clamp=clamp_of(network))


def label_count(network: OpaqueObject) -> int:
    """How many labels the network takes."""
    return int(network.state.get("c_dim") or 0)


def take_mapping(tensors: Tensors, ours: dict[str, NDArray[Any]], c_dim: int) -> None:
    """The mapping network, and the embedding of labels."""
    place = 0
    while f"mapping.fc{place}.weight" in tensors:
        ours[f"mapping.layers.{place}.weight"] = tensors.take(f"mapping.fc{place}.weight")
        ours[f"mapping.layers.{place}.bias"] = tensors.take(f"mapping.fc{place}.bias")
        place += 1
    if c_dim:
        ours["mapping.embed.weight"] = tensors.take("mapping.embed.weight")
        ours["mapping.embed.bias"] = tensors.take("mapping.embed.bias")


def take_block(tensors: Tensors, ours: dict[str, NDArray[Any]], place: int, side: int) -> None:
    """One size: a constant or a convolution that doubles, a convolution, colours."""
    block = f"synthesis.b{side}"
    tensors.check_filter(f"{block}.resample_filter")
    if place == 0:
        ours["synthesis.const"] = tensors.take(f"{block}.const", (None, 4, 4))
    layers = (
        [(2 * place, "conv1")] if place == 0 else [(2 * place - 1, "conv0"), (2 * place, "conv1")]
    )
    for layer, name in layers:
        theirs, mine = f"{block}.{name}", f"synthesis.convs.{layer}"
        weight = tensors.take(f"{theirs}.weight", (None, None, 3, 3))
        ours[f"{mine}.weight"] = flipped(weight) if layer % 2 else weight
        for part in ("affine.weight", "affine.bias", "bias"):
            ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")
        ours[f"{mine}.noise_strength"] = tensors.one(f"{theirs}.noise_strength")
        ours[f"{mine}.noise_const"] = tensors.take(f"{theirs}.noise_const", (side, side))
        tensors.check_filter(f"{theirs}.resample_filter")
    for part in ("weight", "bias", "affine.weight", "affine.bias"):
        ours[f"synthesis.rgbs.{place}.{part}"] = tensors.take(f"{block}.torgb.{part}")


def check_blocks(network: OpaqueObject, sides: list[int]) -> None:
    """Only the skip architecture is drawn; the others are refused by name."""
    for side in sides:
        block = submodule(network, "synthesis", f"b{side}")
        kind = str(block.state.get("architecture", "skip")) if block else "skip"
        if kind != "skip":
            raise BadInputError(
                f"This {SOURCE} network has the architecture {kind}, expected skip."
            )


def clamp_of(network: OpaqueObject) -> float | None:
    """The largest magnitude of features, the same in every layer."""
    layer = submodule(network, "synthesis", "b4", "conv1")
    value = layer.state.get("conv_clamp") if layer else None
    return None if value is None else float(value)
