"""Where training pictures come from: the generator itself, a folder, a renderer that it learned.

Pictures stay in memory and are used a few times each, for rendering costs more than learning;
they are changed a little, so that an encoder also reads what is not a render.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, mixed_precision
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Spread, measure_code_shape
from latentfu_builtin.networks.encoders.pyramid_encoder import resized
from latentfu_builtin.stylegan.training.pairs import PairCache
from latentfu_builtin.stylegan.training.source import (
    BatchSource,
    FolderSource,
    RendererSource,
    open_teacher,
)

_POOL_PORTION = 32


@dataclass(frozen=True)
class Lesson:
    """Pictures [N, 3, S, S] in -1..1, of the size that the encoder looks at.

    ``offsets [N, layers, D]``: their codes, in spreads.

    ``known [N]``: 1 where the offsets are known, 0 where they are only zeros.
    """

    pictures: Tensor
    offsets: Tensor
    known: Tensor


class LessonSource(Protocol):
    """Anything that gives pictures to learn from."""

    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` random pictures."""
        ...


@dataclass(frozen=True)
class OwnLessons:
    """The generator's pictures of random codes whose layers are moved a little apart."""

    generator: Generator
    spread: Spread
    size: int
    apart: float
    bf16: bool

    @torch.no_grad()
    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` of them; half of them mixed from two codes, as in style mixing."""
        offsets = _draw_offsets(self.generator, self.spread, count, random)
        if offsets.shape[1] > 1:
            other = offsets[torch.randperm(count, generator=random)]
            offsets = _cross(offsets, other, random)
            offsets = offsets + self.apart * torch.randn(offsets.shape, generator=random)
        codes = make_codes(self.spread, offsets, self.generator)
        pictures = resized(render_codes(self.generator, codes, self.bf16), self.size)
        return Lesson(pictures, offsets, torch.ones(count))


@dataclass(frozen=True)
class RendererLessons:
    """What a renderer draws for z, with the code that the generator has for the same z."""

    generator: Generator
    spread: Spread
    renderer: BatchSource

    @torch.no_grad()
    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` fresh renders."""
        batch = self.renderer.draw(count, random)
        if batch.z is None:
            raise BadInputError("The renderer gives pictures without z: use a folder of them.")
        offsets = _map_offsets(self.generator, self.spread, batch.z)
        return Lesson(batch.images, offsets, torch.ones(count))


@dataclass(frozen=True)
class FolderLessons:
    """Pictures of a folder, whose codes nobody knows."""

    folder: FolderSource
    shape: tuple[int, int]

    def draw(self, count: int, random: torch.Generator) -> Lesson:
        """``count`` random ones."""
        pictures = self.folder.draw(count, random).images
        return Lesson(pictures, torch.zeros(count, *self.shape), torch.zeros(count))


def open_outside_source(
    generator: Generator,
    spread: Spread,
    size: int,
    *,
    folder: Path | None = None,
    renderer: str | None = None,
    pairs: Path | None = None,
) -> LessonSource | None:
    """Pictures that are not the generator's own, if any are named; raises BadInputError."""
    try:
        if renderer is not None:
            teacher = open_teacher(renderer)
            return RendererLessons(
                generator, spread, RendererSource(teacher, size, generator.z_dim)
            )
        if pairs is not None:
            return RendererLessons(generator, spread, PairCache(pairs, size))
        if folder is not None:
            shape = measure_code_shape(generator)
            return FolderLessons(FolderSource(folder, size), shape)
    except (ValueError, OSError, KeyError) as error:
        raise BadInputError(f"The pictures cannot be used: {error}.") from error
    return None


def _map_offsets(generator: Generator, spread: Spread, z: Tensor) -> Tensor:
    """z [N, z_dim] -> offsets of its code in spreads [N, layers, D], on the CPU."""
    codes = generator.map(z.to(generator.device)).codes
    codes = codes if codes.ndim == 3 else codes[:, None]
    return spread.whitened(codes).float().cpu()


def _draw_offsets(
    generator: Generator, spread: Spread, count: int, random: torch.Generator
) -> Tensor:
    """Offsets of ``count`` random codes [N, layers, D]."""
    return _map_offsets(generator, spread, torch.randn(count, generator.z_dim, generator=random))


def _cross(first: Tensor, second: Tensor, random: torch.Generator) -> Tensor:
    """Half of [N, layers, D] with the layers after a random one from ``second``."""
    count, layers = first.shape[:2]
    cut = torch.randint(1, 2 * layers, (count, 1, 1), generator=random)
    return torch.where(torch.arange(layers)[None, :, None] < cut, first, second)


def make_codes(spread: Spread, offsets: Tensor, generator: Generator) -> Tensor:
    """Offsets [N, layers, D] -> codes in the generator's editing space."""
    codes = spread.codes(offsets.to(spread.mean))
    return codes if generator.mean_latent().codes.ndim == 3 else codes[:, 0]


def render_codes(generator: Generator, codes: Tensor, bf16: bool) -> Tensor:
    """The pictures [N, 3, R, R] of codes, float32; gradients flow to the codes."""
    latent = generator.mean_latent().with_codes(codes)
    with mixed_precision(generator.device, bf16):
        return generator.render(latent).float()


class LessonPool:
    """``size`` lessons of ``source``; ``fresh`` of them replaced whenever some are drawn."""

    def __init__(
        self,
        source: LessonSource,
        size: int,
        fresh: int,
        random: torch.Generator,
        told: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.source = source
        self.fresh = min(fresh, size)
        self.random = random
        self.next = 0
        parts: list[Lesson] = []
        for start in range(0, size, _POOL_PORTION):
            parts.append(_pack(source.draw(min(_POOL_PORTION, size - start), random)))
            told(min(start + _POOL_PORTION, size))
        self.pictures = torch.cat([part.pictures for part in parts])  # [S, 3, R, R] uint8
        self.offsets = torch.cat([part.offsets for part in parts])  # [S, layers, D]
        self.known = torch.cat([part.known for part in parts])  # [S]

    def draw(self, count: int) -> Lesson:
        """``count`` lessons, some of them never seen before."""
        if self.fresh:
            self.renew()
        rows = torch.randint(len(self.known), (count,), generator=self.random)
        pictures = self.pictures[rows].float() / 127.5 - 1.0
        return Lesson(pictures, self.offsets[rows], self.known[rows])

    def renew(self) -> None:
        """Replace the ``fresh`` oldest lessons."""
        new = _pack(self.source.draw(self.fresh, self.random))
        rows = (torch.arange(self.fresh) + self.next) % len(self.known)
        self.pictures[rows], self.offsets[rows] = new.pictures, new.offsets
        self.known[rows] = new.known
        self.next = int(rows[-1]) + 1


def _pack(lesson: Lesson) -> Lesson:
    """The lesson with its pictures as bytes."""
    return Lesson(_as_bytes(lesson.pictures), lesson.offsets, lesson.known)


def _as_bytes(pictures: Tensor) -> Tensor:
    """[N, 3, R, R] in -1..1 -> uint8."""
    return ((pictures.cpu() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def augment_pictures(x: Tensor, random: torch.Generator) -> Tensor:
    """Pictures [N, 3, H, W] in -1..1, some of them blurred, tinted, noisy or a little moved."""
    x = _move(x, random)
    x = _blur(x, random)
    x = _tint(x, random)
    x = _add_grain(x, random)
    return x.clamp(-1, 1)


def _choose_some(count: int, share: float, random: torch.Generator) -> Tensor:
    """[N, 1, 1, 1] of 1 for about ``share`` of the pictures, else 0."""
    return (torch.rand(count, 1, 1, 1, generator=random) < share).float()


def _tint(x: Tensor, random: torch.Generator, strength: float = 0.04) -> Tensor:
    """Brightness and the gain of each color of half of the pictures."""
    n = x.shape[0]
    gain = strength * torch.randn(n, 3, 1, 1, generator=random)
    lift = strength * torch.randn(n, 1, 1, 1, generator=random)
    return x + _choose_some(n, 0.5, random) * (x * gain + lift)


def _add_grain(x: Tensor, random: torch.Generator, most: float = 0.06) -> Tensor:
    """Noise over half of the pictures."""
    n = x.shape[0]
    amount = _choose_some(n, 0.5, random) * most * torch.rand(n, 1, 1, 1, generator=random)
    return x + amount * torch.randn(x.shape, generator=random)


def _blur(x: Tensor, random: torch.Generator) -> Tensor:
    """A third of the pictures a little out of focus."""
    n = x.shape[0]
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    amount = _choose_some(n, 0.34, random) * torch.rand(n, 1, 1, 1, generator=random)
    return torch.lerp(x, soft, amount)


def _move(x: Tensor, random: torch.Generator, little: float = 0.012, far: float = 0.1) -> Tensor:
    """Three quarters of the pictures shifted, a third of these by up to ``far`` of their side.

    An aligner's crop is never exact, and sometimes wrong; colors must be read all the same.
    Borders are repeated.
    """
    n = x.shape[0]
    moves = (2 * torch.rand(n, 2, generator=random) - 1) * 2
    reach = little * _choose_some(n, 0.67, random) + far * _choose_some(n, 0.25, random)
    matrices = torch.eye(2, 3).repeat(n, 1, 1)
    matrices[:, :, 2] = moves * reach[:, :, 0, 0]
    grid = F.affine_grid(matrices, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
