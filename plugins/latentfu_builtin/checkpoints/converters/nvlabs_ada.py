"""NVIDIA's PyTorch pickles of StyleGAN2-ADA, and tuned networks as PTI saves them."""

from __future__ import annotations

from typing import Any

from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.fit_network import fit_stylegan2
from latentfu_builtin.checkpoints.formats import ForeignFormat
from latentfu_builtin.checkpoints.state_dict import (
    Tensors,
    count_labels,
    find_torch_generator,
    flip_kernel,
    list_tensors,
    submodule,
)

SOURCE = "StyleGAN2-ADA"


def recognize(foreign: ForeignFile) -> bool:
    """Whether there is a Generator with blocks, in ``{"G_ema": Generator}`` or by itself."""
    return submodule(find_torch_generator(foreign), "synthesis", "b4") is not None


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """The tensors of NVIDIA's Generator as ours."""
    network = find_torch_generator(foreign)
    assert network is not None  # or it were not recognized
    tensors = Tensors(dict(list_tensors(network)), SOURCE, "StyleGAN2")
    resolution, c_dim = int(network.state.get("img_resolution", 0)), count_labels(network)
    if network.state.get("img_channels", 3) != 3:
        raise BadInputError(f"This {SOURCE} network draws no three colors.")
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("mapping.w_avg")}
    take_mapping(tensors, ours, c_dim)
    sides = [2**k for k in range(2, resolution.bit_length())]
    for place, side in enumerate(sides):
        take_block(tensors, ours, place, side)
    check_blocks(network, sides)
    tensors.finish()
    return fit_stylegan2(ours, c_dim=c_dim, clamp=clamp_of(network))


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


FORMAT = ForeignFormat.declare(
    "nvlabs-ada",
    "StyleGAN2-ADA, NVIDIA's pickle",
    recognize=recognize,
    convert=convert,
    files="StyleGAN2-ADA `.pkl`, with or without labels; a tuned generator as PTI saves it (`.pt`)",
    publisher="NVIDIA, PyTorch; PTI's users",
    told_by="`G_ema`, or a Generator by itself, with blocks `b4`, `b8`, ...",
)
