"""Where training pictures come from: the generator itself, a folder, a renderer that it learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from latentfu import BadInputError, Generator, mixed_precision
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Spread
from latentfu_builtin.networks.encoders.pyramid_encoder import resized
from latentfu_builtin.stylegan.training.pairs import PairCache
from latentfu_builtin.stylegan.training.source import (
    FolderSource,
    RendererSource,
    Source,
    open_teacher,
)


@dataclass(frozen=True)
class Lesson:
    """Pictures [N, 3, S, S] in -1..1, of the size that the encoder looks at.

    ``offsets [N, layers, D]``: their codes, in spreads.

    ``known [N]``: 1 where the offsets are known, 0 where they are only zeros.
    """

    pictures: Tensor
    offsets: Tensor
    known: Tensor


class Lessons(Protocol):
    """Anything that gives pictures to learn from."""

    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` random pictures."""
        ...


@dataclass(frozen=True)
class Own:
    """The generator's pictures of random codes whose layers are moved a little apart."""

    generator: Generator
    spread: Spread
    size: int
    apart: float
    bf16: bool

    @torch.no_grad()
    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` of them; half of them mixed from two codes, as in style mixing."""
        offsets = random_offsets(self.generator, self.spread, count, random)
        if offsets.shape[1] > 1:
            other = offsets[torch.randperm(count, generator=random)]
            offsets = crossed(offsets, other, random)
            offsets = offsets + self.apart * torch.randn(offsets.shape, generator=random)
        codes = codes_of(self.spread, offsets, self.generator)
        pictures = resized(rendered(self.generator, codes, self.bf16), self.size)
        return Lesson(pictures, offsets, torch.ones(count))


@dataclass(frozen=True)
class Taught:
    """What a renderer draws for z, with the code that the generator has for the same z."""

    generator: Generator
    spread: Spread
    renderer: Source

    @torch.no_grad()
    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` fresh renders."""
        batch = self.renderer.draw(count, random)
        if batch.z is None:
            raise BadInputError("The renderer gives pictures without z: use a folder of them.")
        offsets = offsets_of(self.generator, self.spread, batch.z)
        return Lesson(batch.images, offsets, torch.ones(count))


@dataclass(frozen=True)
class Photos:
    """Pictures of a folder, whose codes nobody knows."""

    folder: FolderSource
    shape: tuple[int, int]

    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` random ones."""
        pictures = self.folder.draw(count, random).images
        return Lesson(pictures, torch.zeros(count, *self.shape), torch.zeros(count))


def outside_source(
    generator: Generator,
    spread: Spread,
    size: int,
    *,
    folder: Path | None = None,
    renderer: str | None = None,
    pairs: Path | None = None,
) -> Lessons | None:
    """Pictures that are not the generator's own, if any are named; raises BadInputError."""
    try:
        if renderer is not None:
            teacher = open_teacher(renderer)
            return Taught(generator, spread, RendererSource(teacher, size, generator.z_dim))
        if pairs is not None:
            return Taught(generator, spread, PairCache(pairs, size))
        if folder is not None:
            shape = (layers_of(generator), len(spread.mean))
            return Photos(FolderSource(folder, size), shape)
    except (ValueError, OSError, KeyError) as error:
        raise BadInputError(f"The pictures can not be used: {error}.") from error
    return None


def layers_of(generator: Generator) -> int:
    """How many codes a picture of ``generator`` has: 1 where its space has no layers."""
    codes = generator.mean_latent().codes
    return int(codes.shape[1]) if codes.ndim == 3 else 1


def offsets_of(generator: Generator, spread: Spread, z: Tensor) -> Tensor:
    """z [N, z_dim] -> offsets of its code in spreads [N, layers, D], on the CPU."""
    codes = generator.map(z.to(generator.device)).codes
    codes = codes if codes.ndim == 3 else codes[:, None]
    return spread.whitened(codes).float().cpu()


def random_offsets(
    generator: Generator, spread: Spread, count: int, random: torch.Generator
) -> Tensor:
    """Offsets of ``count`` random codes [N, layers, D]."""
    return offsets_of(generator, spread, torch.randn(count, generator.z_dim, generator=random))


def crossed(first: Tensor, second: Tensor, random: torch.Generator) -> Tensor:
    """Half of [N, layers, D] with the layers after a random one from ``second``."""
    count, layers = first.shape[:2]
    cut = torch.randint(1, 2 * layers, (count, 1, 1), generator=random)
    return torch.where(torch.arange(layers)[None, :, None] < cut, first, second)


def codes_of(spread: Spread, offsets: Tensor, generator: Generator) -> Tensor:
    """Offsets [N, layers, D] -> codes in the generator's editing space."""
    codes = spread.codes(offsets.to(spread.mean))
    return codes if generator.mean_latent().codes.ndim == 3 else codes[:, 0]


def rendered(generator: Generator, codes: Tensor, bf16: bool) -> Tensor:
    """The pictures [N, 3, R, R] of codes, float32; gradients flow to the codes."""
    latent = generator.mean_latent().with_codes(codes)
    with mixed_precision(generator.device, bf16):
        return generator.render(latent).float()
