"""What an encoder begins with: sizes that fit its generator, and what other networks learned."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from pathlib import Path

from latentfu import BadInputError, Generator, StorageError, read_tensors
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Spread
from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig, PictureEncoder

LARGEST_LOOK = 64
"""Larger pictures are looked at from this size: the code says nothing that is smaller."""
LAST_SIDE = 4
"""Pixels of the last features, where the trunk has no dense layer that tells."""
HEADS = ("dense.weight", "dense.bias", "shared.weight", "apart.weight", "mean", "axes")


def trunk_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a network that an encoder can begin with; raises BadInputError."""
    try:
        found = {name: value.float() for name, value in read_tensors(path).items()}
    except StorageError as error:
        raise BadInputError(str(error)) from error
    if "stages.0.0.0.weight" not in found:
        raise BadInputError(f"{path} holds no convolutions that an encoder can begin with.")
    return found


def config_for(generator: Generator, trunk: Mapping[str, Tensor] | None = None) -> EncoderConfig:
    """An encoder's sizes for ``generator``: those of the trunk, where there is one."""
    mean = generator.mean_latent()
    shape = tuple(mean.codes.shape[1:])
    if trunk is None:
        size = max(4 * LAST_SIDE, min(LARGEST_LOOK, generator.resolution))
        return EncoderConfig(size, shape, mean.space)
    widths: list[int] = []
    while f"stages.{len(widths)}.0.0.weight" in trunk:
        widths.append(int(trunk[f"stages.{len(widths)}.0.0.weight"].shape[0]))
    last = LAST_SIDE
    if "dense.weight" in trunk:
        last = isqrt(trunk["dense.weight"].shape[1] // widths[-1])
    return EncoderConfig(last << (len(widths) - 1), shape, mean.space, tuple(widths))


def take(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """Begin with the convolutions of another network of the same sizes (a scorer's, say).

    What is learned for one reading of a picture serves for another: training is several times
    shorter. An encoder for earlier weights of the generator gives its other layers too.
    """
    own = encoder.state_dict()
    stages = {k: v for k, v in tensors.items() if k.startswith("stages.") and k in own}
    if not all(own[name].shape == value.shape for name, value in stages.items()):
        raise BadInputError("The network to begin with has other sizes than the encoder.")
    encoder.load_state_dict(stages, strict=False)
    encoder.taken = True
    whole = all(name in tensors and tensors[name].shape == own[name].shape for name in HEADS)
    if whole:
        take_heads(encoder, tensors)


def take_heads(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """The dense layers of an encoder whose offsets are counted along other axes.

    An offset p there is the code mean + A p, and so here the offset (B^-1)(mean + A p - mean').
    """
    spread = Spread(encoder.mean[0], encoder.axes)
    zero = encoder.mean.new_zeros(1, encoder.axes.shape[0])
    turn = spread.whitened(tensors["axes"].T + spread.mean)  # [D, D]: p here = p there @ turn
    moved = spread.whitened(tensors["mean"] - encoder.mean + spread.mean + zero)  # [layers, D]
    layers, depth = moved.shape
    apart = tensors["apart.weight"].reshape(layers, depth, -1)
    state = {name: value for name, value in tensors.items() if name.startswith(("dense.", "norm."))}
    state["shared.weight"] = turn.T @ tensors["shared.weight"]
    state["shared.bias"] = tensors["shared.bias"] @ turn
    state["apart.weight"] = (turn.T @ apart).reshape(layers * depth, -1)
    bias = tensors["apart.bias"].reshape(layers, depth) @ turn + moved
    state["apart.bias"] = bias.reshape(-1)
    encoder.load_state_dict(state, strict=False)
