"""Foreign encoders on disk: brought in from a checkpoint, kept as safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    Generator,
    OpaqueObject,
    WrongGeneratorError,
    read_tensors,
    write_tensors,
)
from torch import Tensor, nn

from latentfu_builtin.encoders.foreign.recognise import ARCHITECTURES, Architecture, recognised
from latentfu_builtin.encoders.foreign.run import ForeignEncoder
from latentfu_builtin.encoders.foreign.sizes import Sizes
from latentfu_builtin.encoders.header import read_header

MEAN = "latent_avg"
ENCODER = "encoder."
FURTHEST = 0.2
"""How far the file's mean code may be from the generator's, as a part of the spread of w."""


@dataclass(frozen=True)
class Checkpoint:
    """What a published file holds: the encoder's ``tensors``, the mean code, its options."""

    tensors: Mapping[str, Tensor]
    mean: Tensor | None
    opts: Mapping[str, object]


def checkpoint_of(tree: object) -> Checkpoint:
    """The encoder in a plain tree of mappings and tensors; raises BadInputError.

    ``{"state_dict": {"encoder....": ...}, "latent_avg": ..., "opts": ...}`` as pSp and those
    after it write it, or a flat state dict as the two seeds' predictors are.
    """
    if not isinstance(tree, Mapping):
        raise BadInputError("The file holds no named tensors: it is no encoder's checkpoint.")
    inner = tree.get("state_dict", tree)
    if not isinstance(inner, Mapping):
        raise BadInputError("The file's state_dict is no mapping of tensors: it is damaged.")
    tensors = {str(k): v for k, v in inner.items() if isinstance(v, Tensor)}
    own = {k.removeprefix(ENCODER): v for k, v in tensors.items() if k.startswith(ENCODER)}
    mean = tree.get(MEAN)
    opts = tree.get("opts")
    if isinstance(opts, OpaqueObject):  # argparse.Namespace
        opts = opts.state
    return Checkpoint(
        own or tensors,
        mean if isinstance(mean, Tensor) else None,
        opts if isinstance(opts, Mapping) else {},
    )


def bring_in(
    checkpoint: Checkpoint,
    generator: Generator,
    output: Path,
    *,
    architecture: str | None = None,
    force: bool = False,
    notes: Mapping[str, str] | None = None,
) -> Architecture:
    """Write the encoder of ``checkpoint`` for ``generator`` to ``output``.

    Raises BadInputError when it is none that is known or is damaged, WrongGeneratorError when
    its codes or its mean do not fit the generator (the mean is not looked at with ``force``).
    """
    shapes = {name: tuple(value.shape) for name, value in checkpoint.tensors.items()}
    kind = recognised(shapes, checkpoint.opts, architecture)
    try:
        sizes = kind.sizes(shapes)
    except (KeyError, IndexError, ZeroDivisionError) as error:
        raise BadInputError(f"The {kind.name} encoder lacks a tensor: {error}.") from error
    filled(kind, sizes, checkpoint.tensors)
    mean = mean_of(checkpoint, kind, sizes, generator)
    check_codes(sizes, generator, kind)
    if not force and not kind.absolute:
        check_mean(mean, generator)
    tensors = {ENCODER + k: v.detach().cpu().contiguous() for k, v in checkpoint.tensors.items()}
    tensors[MEAN] = mean.detach().cpu().float().contiguous()
    metadata = {
        "licence": "unknown",
        **(notes or {}),
        "architecture": kind.name,
        "sizes": sizes.to_json(),
        "space": "w" if sizes.styles == 1 else generator.spaces[-1],
        "generator_id": generator.id,
        "generator": generator.name,
        "opts": json.dumps({k: v for k, v in checkpoint.opts.items() if is_plain(v)}),
    }
    write_tensors(output, tensors, metadata)
    return kind


def load_foreign(path: Path, generator: Generator) -> ForeignEncoder:
    """A foreign encoder that was brought in; raises BadInputError when its file is unusable."""
    header = read_header(path)
    kind = ARCHITECTURES.get(header.get("architecture", ""))
    if kind is None:
        raise BadInputError(f"{path} holds no encoder that is known.")
    tensors = read_tensors(path)
    mean = tensors.pop(MEAN)
    own = {name.removeprefix(ENCODER): value for name, value in tensors.items()}
    network = filled(kind, Sizes.from_json(header.get("sizes", "")), own)
    network = network.to(generator.device).eval().requires_grad_(False)
    return ForeignEncoder(network, kind, mean.to(generator.device), generator)


def filled(kind: Architecture, sizes: Sizes, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network with ``tensors`` in it; raises BadInputError naming the first that is wrong."""
    with torch.device("meta"):  # shapes only: nothing is allocated before the file is checked
        network = kind.build(sizes)
    for name, wanted in network.state_dict().items():
        if name not in tensors:
            raise BadInputError(f"The {kind.name} encoder lacks the tensor {name}.")
        if tensors[name].shape != wanted.shape:
            raise BadInputError(
                f"The {kind.name} encoder has {name} with the shape {list(tensors[name].shape)}, "
                f"expected {list(wanted.shape)}."
            )
    unknown = sorted(set(tensors) - set(network.state_dict()))
    if unknown:
        raise BadInputError(f"The {kind.name} encoder has an unknown tensor {unknown[0]}.")
    ready = {
        name: value.float() if value.is_floating_point() else value
        for name, value in tensors.items()
    }
    network.load_state_dict(ready, assign=True)
    return network


def mean_of(
    checkpoint: Checkpoint, kind: Architecture, sizes: Sizes, generator: Generator
) -> Tensor:
    """What the offsets are added to [styles or 1, D]: the file's mean, or nothing."""
    from_zero = kind.absolute or not checkpoint.opts.get("start_from_latent_avg", True)
    if from_zero:
        return torch.zeros(1, sizes.depth)
    if checkpoint.mean is None:
        own = generator.mean_latent().codes[0]
        mean = own if own.ndim == 2 else own[None]
    else:
        mean = checkpoint.mean.float().reshape(-1, checkpoint.mean.shape[-1])
    return mean[:1] if sizes.styles == 1 else mean


def check_codes(sizes: Sizes, generator: Generator, kind: Architecture) -> None:
    """Raise WrongGeneratorError unless the codes are of the generator's shape."""
    if sizes.depth != generator.w_dim or sizes.styles not in (1, generator.num_ws):
        raise WrongGeneratorError(
            f"The {kind.name} encoder gives {sizes.styles} codes of {sizes.depth} numbers, but "
            f"{generator.name} takes {generator.num_ws} of {generator.w_dim}: choose the "
            f"generator that it was trained for."
        )


def check_mean(mean: Tensor, generator: Generator) -> None:
    """Raise WrongGeneratorError when the file's mean code is not that of the generator."""
    from latentfu import random_latents

    own = generator.mean_latent().codes[0].float().cpu()
    own = own if own.ndim == 2 else own[None]
    spread = random_latents(generator, 256, 0).codes.float().std(dim=0).norm() / own.shape[0] ** 0.5
    far = float((mean.cpu() - own).norm(dim=-1).max()) / max(float(spread), 1e-8)
    if far > FURTHEST:
        raise WrongGeneratorError(
            f"The encoder's mean code is {far:.1f} spreads away from that of {generator.name}, so "
            f"it was trained for another generator: choose that one, or give --force."
        )


def is_plain(value: object) -> bool:
    """Whether a value can stand in the metadata."""
    return value is None or isinstance(value, (str, int, float, bool))
