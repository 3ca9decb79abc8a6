"""NVIDIA's PyTorch pickles of StyleGAN2-ADA, and tuned networks as PTI saves them."""

from __future__ import annotations

from typing import Any

from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.find_tensors import StateDict, list_tensors
from latentfu_builtin.checkpoints.fit_network import fit_stylegan2
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors
from latentfu_builtin.checkpoints.state_dict import (
    Tensors,
    find_torch_generator,
    flip_kernel,
    submodule,
)

SOURCE = "StyleGAN2-ADA"


STATE = HasTensors(("synthesis.b4.const", "mapping.fc0.weight"), modules=False)
CLAMP = 256.0
"""What NVIDIA's trainer sets; a state dict does not say it."""


def recognize(foreign: ForeignFile) -> bool:
    """Whether there is a Generator with blocks, as a module or as a state dict."""
    return _find_module(foreign) is not None or STATE(foreign)


def _find_module(foreign: ForeignFile) -> OpaqueObject | None:
    network = find_torch_generator(foreign)
    return network if submodule(network, "synthesis", "b4") else None


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """The tensors of NVIDIA's Generator as ours."""
    network = _find_module(foreign)
    state = StateDict(dict(list_tensors(network))) if network else STATE.find(foreign)
    tensors = Tensors(state or StateDict(), SOURCE, "StyleGAN2")
    embedding = tensors.found.get("mapping.embed.weight")
    c_dim = 0 if embedding is None else embedding.shape[-1]
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    _take_mapping(tensors, ours, c_dim)
    sides = [2**k for k in range(2, 14) if f"synthesis.b{2**k}.conv1.weight" in tensors]
    for place, side in enumerate(sides):
        if side != 4 << place:
            raise BadInputError(f"This {SOURCE} network lacks synthesis.b{4 << place}.")
        _take_block(tensors, ours, place, side)
    if network is not None:
        _check_blocks(network, sides)
    tensors.finish()
    clamp = _clamp_of(network) if network else CLAMP
    return tensors.label(fit_stylegan2(ours, c_dim=c_dim, clamp=clamp))


def _take_mapping(tensors: Tensors, ours: dict[str, NDArray[Any]], c_dim: int) -> None:
    """The mapping network, and the embedding of labels."""
    place = 0
    while f"mapping.fc{place}.weight" in tensors:
        ours[f"mapping.layers.{place}.weight"] = tensors.take(f"mapping.fc{place}.weight")
        ours[f"mapping.layers.{place}.bias"] = tensors.take(f"mapping.fc{place}.bias")
        place += 1
    if c_dim:
        ours["mapping.embed.weight"] = tensors.take("mapping.embed.weight")
        ours["mapping.embed.bias"] = tensors.take("mapping.embed.bias")


def _take_block(tensors: Tensors, ours: dict[str, NDArray[Any]], place: int, side: int) -> None:
    """One size: a constant or a convolution that doubles, a convolution, colors."""
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
        ours[f"{mine}.weight"] = flip_kernel(weight) if layer % 2 else weight
        for part in ("affine.weight", "affine.bias", "bias"):
            ours[f"{mine}.{part}"] = tensors.take(f"{theirs}.{part}")
        ours[f"{mine}.noise_strength"] = tensors.one(f"{theirs}.noise_strength")
        ours[f"{mine}.noise_const"] = tensors.take(f"{theirs}.noise_const", (side, side))
        tensors.check_filter(f"{theirs}.resample_filter")
    mine = f"synthesis.rgbs.{place}"
    colors = (tensors.take(f"{block}.torgb.{part}") for part in ("weight", "bias"))
    ours[f"{mine}.weight"], ours[f"{mine}.bias"] = tensors.three_colors(*colors)
    for part in ("affine.weight", "affine.bias"):
        ours[f"{mine}.{part}"] = tensors.take(f"{block}.torgb.{part}")


def _check_blocks(network: OpaqueObject, sides: list[int]) -> None:
    """Only the skip architecture is drawn; the others are refused by name."""
    for side in sides:
        block = submodule(network, "synthesis", f"b{side}")
        kind = str(block.state.get("architecture", "skip")) if block else "skip"
        if kind != "skip":
            raise BadInputError(
                f"This {SOURCE} network has the architecture {kind}, expected skip."
            )


def _clamp_of(network: OpaqueObject) -> float | None:
    """The largest magnitude of features, the same in every layer."""
    layer = submodule(network, "synthesis", "b4", "conv1")
    value = layer.state.get("conv_clamp") if layer else None
    return None if value is None else float(value)


FORMAT = ForeignFormat.declare(
    "nvlabs-ada",
    "StyleGAN2-ADA, NVIDIA's pickle",
    recognize=recognize,
    convert=convert,
    files="StyleGAN2-ADA `.pkl`, with or without labels; its state dict; PTI's tuned `.pt`",
    publisher="NVIDIA, PyTorch; PTI's users",
    told_by="a Generator or its state dict with blocks `b4`, `b8`, ...",
)
