"""Published encoders: read from a checkpoint, kept as safetensors, used as the generator wants.

A picture is seen at the size that the network wants, the mean code is added, and ReStyle looks
again a few times. Nothing in a published file is run.
"""

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
    Progress,
    WrongGeneratorError,
    read_tensors,
    read_torch,
    silent,
    write_tensors,
)
from torch import Tensor, nn

from latentfu_builtin.encoders.detect_encoder import (
    PUBLISHED_ARCHITECTURES,
    PublishedArchitecture,
    detect_architecture,
)
from latentfu_builtin.encoders.encoder_header import read_encoder_header
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes
from latentfu_builtin.networks.encoders.pyramid_encoder import resized
from latentfu_builtin.networks.stylegan.files import check_config

_MEAN = "latent_avg"
_ENCODER = "encoder."
_FURTHEST = 0.2
"""How far the file's mean code may be from the generator's, as a part of the spread of w."""
_LARGEST = 8 << 30
PUBLISHED_SIDE = 256
"""All of them look at pictures of this side, RGB, -1..1."""
_ROUNDS = 5
"""How often ReStyle looks again, as in its paper."""


@dataclass(frozen=True)
class PublishedCheckpoint:
    """What a published file holds: the encoder's ``tensors``, the mean code, its options."""

    tensors: Mapping[str, Tensor]
    mean: Tensor | None
    opts: Mapping[str, object]


def find_encoder_in_tree(tree: object) -> PublishedCheckpoint:
    """The encoder in a plain tree of mappings and tensors; raises BadInputError.

    ``{"state_dict": {"encoder....": ...}, "latent_avg": ..., "opts": ...}`` as pSp and those
    after it write it, or a flat state dict as the two seeds' predictors are.
    """
    if not isinstance(tree, Mapping):
        raise BadInputError("The file holds no named tensors: it is not an encoder's checkpoint.")
    inner = tree.get("state_dict", tree)
    if not isinstance(inner, Mapping):
        raise BadInputError("The file's state_dict is not a mapping of tensors: it is damaged.")
    tensors = {str(k): v for k, v in inner.items() if isinstance(v, Tensor)}
    own = {k.removeprefix(_ENCODER): v for k, v in tensors.items() if k.startswith(_ENCODER)}
    mean = tree.get(_MEAN)
    opts = tree.get("opts")
    if isinstance(opts, OpaqueObject):  # argparse.Namespace
        opts = opts.state
    return PublishedCheckpoint(
        own or tensors,
        mean if isinstance(mean, Tensor) else None,
        opts if isinstance(opts, Mapping) else {},
    )


def import_encoder(
    checkpoint: PublishedCheckpoint,
    generator: Generator,
    output: Path,
    *,
    architecture: str | None = None,
    force: bool = False,
    notes: Mapping[str, str] | None = None,
) -> PublishedArchitecture:
    """Write the encoder of ``checkpoint`` for ``generator`` to ``output``.

    Raises BadInputError when it is none that is known or is damaged, WrongGeneratorError when
    its codes or its mean do not fit the generator (the mean is not looked at with ``force``).
    """
    shapes = {name: tuple(value.shape) for name, value in checkpoint.tensors.items()}
    kind = detect_architecture(shapes, checkpoint.opts, architecture)
    try:
        sizes = kind.sizes(shapes)
    except (KeyError, IndexError, ZeroDivisionError) as error:
        raise BadInputError(f"The {kind.name} encoder lacks a tensor: {error}.") from error
    _fill_network(kind, sizes, checkpoint.tensors)
    mean = _choose_mean(checkpoint, kind, sizes, generator)
    _check_codes(sizes, generator, kind)
    if not force and not kind.absolute:
        _check_mean(mean, generator)
    opts = json.dumps({k: v for k, v in checkpoint.opts.items() if _is_plain(v)})
    network = (kind, sizes)
    told = {**(notes or {}), "opts": opts}
    write_published_encoder(output, network, checkpoint.tensors, mean, generator, told)
    return kind


def write_published_encoder(  # noqa: PLR0917
    output: Path,
    network: tuple[PublishedArchitecture, PublishedSizes],
    tensors: Mapping[str, Tensor],
    mean: Tensor,
    generator: Generator,
    notes: Mapping[str, str],
) -> None:
    """Write an encoder of a published architecture; raises StorageError in one sentence.

    ``mean [styles or 1, D]``: what its offsets are added to.
    """
    kind, sizes = network
    whole = {_ENCODER + k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    whole[_MEAN] = mean.detach().cpu().float().contiguous()
    metadata = {
        "licence": "unknown",
        **notes,
        "architecture": kind.name,
        "sizes": sizes.to_json(),
        "space": "w" if sizes.styles == 1 else generator.spaces[-1],
        "generator_id": generator.id,
        "generator": generator.name,
    }
    write_tensors(output, whole, metadata)


def load_published_encoder(path: Path, generator: Generator) -> PublishedEncoder:
    """A foreign encoder that was brought in; raises BadInputError when its file is unusable."""
    header = read_encoder_header(path)
    kind = PUBLISHED_ARCHITECTURES.get(header.get("architecture", ""))
    if kind is None:
        raise BadInputError(f"{path} holds no encoder that is known.")
    tensors = read_tensors(path)
    try:
        check_config(header.get("sizes", ""), len(tensors))
    except ValueError as error:
        raise BadInputError(f"The encoder {path} cannot be used: {error}.") from error
    if _MEAN not in tensors:
        raise BadInputError(f"The encoder {path} lacks the tensor {_MEAN}.")
    mean = tensors.pop(_MEAN)
    own = {name.removeprefix(_ENCODER): value for name, value in tensors.items()}
    network = _fill_network(kind, PublishedSizes.from_json(header.get("sizes", "")), own)
    network = network.to(generator.device).eval().requires_grad_(False)
    return PublishedEncoder(network, kind, mean.to(generator.device), generator)


def _fill_network(
    kind: PublishedArchitecture, sizes: PublishedSizes, tensors: Mapping[str, Tensor]
) -> nn.Module:
    """The network with ``tensors`` in it; raises BadInputError naming the first that is wrong."""
    try:
        with torch.device("meta"):  # shapes only: nothing is allocated before the file is checked
            network = kind.build(sizes)
    except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
        what = str(error).partition("\n")[0][:200]
        raise BadInputError(f"There is no {kind.name} encoder of such sizes: {what}.") from error
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


def _choose_mean(
    checkpoint: PublishedCheckpoint,
    kind: PublishedArchitecture,
    sizes: PublishedSizes,
    generator: Generator,
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


def _check_codes(sizes: PublishedSizes, generator: Generator, kind: PublishedArchitecture) -> None:
    """Raise WrongGeneratorError unless the codes are of the generator's shape."""
    if sizes.depth != generator.w_dim or sizes.styles not in (1, generator.num_ws):
        raise WrongGeneratorError(
            f"The {kind.name} encoder gives {sizes.styles} codes of {sizes.depth} numbers, but "
            f"{generator.name} takes {generator.num_ws} of {generator.w_dim}: choose the "
            f"generator that it was trained for."
        )


def _check_mean(mean: Tensor, generator: Generator) -> None:
    """Raise WrongGeneratorError when the file's mean code is not that of the generator."""
    from latentfu import random_latents

    own = generator.mean_latent().codes[0].float().cpu()
    own = own if own.ndim == 2 else own[None]
    spread = random_latents(generator, 256, 0).codes.float().std(dim=0).norm() / own.shape[0] ** 0.5
    far = float((mean.cpu() - own).norm(dim=-1).max()) / max(float(spread), 1e-8)
    if far > _FURTHEST:
        raise WrongGeneratorError(
            f"The encoder's mean code is {far:.1f} spreads away from that of {generator.name}, so "
            f"it was trained for another generator: choose that one, or give --force."
        )


def _is_plain(value: object) -> bool:
    """Whether a value can stand in the metadata."""
    return value is None or isinstance(value, (str, int, float, bool))


def read_checkpoint_tree(path: Path, progress: Progress = silent) -> object:
    """The mappings, numbers and tensors of a .pt or .safetensors file; raises BadInputError.

    A .pt file is taken apart in a process of its own.
    """
    if path.suffix != ".safetensors":
        return read_torch(path, progress, _LARGEST)
    return read_tensors(path)


@dataclass(frozen=True)
class PublishedEncoder:
    """A foreign network that gives whole codes for ``generator``.

    ``mean [styles or 1, D]``: what its offsets are added to.
    """

    network: nn.Module
    architecture: PublishedArchitecture
    mean: Tensor
    generator: Generator

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures [N, 3, R, R] in -1..1 -> codes [N, num_ws, D], or [N, D] in w."""
        small = resized(pictures.to(self.generator.device).float(), PUBLISHED_SIDE)
        if self.architecture.looks_back:
            return self.shaped(self.in_rounds(small))
        codes = self.network(small)
        return self.shaped(codes if self.architecture.absolute else codes + self.mean)

    def in_rounds(self, small: Tensor) -> Tensor:
        """ReStyle: each round sees what the last one found, beginning with the mean."""
        codes = self.mean.expand(len(small), self.generator.num_ws, -1)
        for _ in range(_ROUNDS):
            latent = self.generator.mean_latent().with_codes(codes)
            found = resized(self.generator.render(latent).clamp(-1, 1), PUBLISHED_SIDE)
            codes = codes + self.network(torch.cat([small, found], dim=1))
        return codes

    def shaped(self, codes: Tensor) -> Tensor:
        """One style for all layers as a code in w."""
        return codes[:, 0] if codes.shape[1] == 1 else codes
