"""Where training pictures come from: a folder, a renderer, or a cache of rendered pairs."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from latentfu import PICTURE_FORMATS
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


NO_CHANGES: Mapping[str, float] = {}


@dataclass(frozen=True)
class Batch:
    """Pictures [N, 3, R, R] in -1..1; from a renderer also their z and landmarks.

    z: [N, z_dim], standard normal; landmarks: [N, L, 2], x and y in 0..1 of the picture: eyes,
    nose, mouth corners, then small things that deserve a closer look, far outside where missing.
    enlarged: [N], how many times larger than it was rendered a picture is; None for all as they
    were. marked: [N, R, R] in 0..1, where pictures show regions that deserve a closer look; None
    where none were asked for.
    """

    images: Tensor
    z: Tensor | None = None
    landmarks: Tensor | None = None
    enlarged: Tensor | None = None
    marked: Tensor | None = None

    @staticmethod
    def join(parts: Sequence[Batch]) -> Batch:
        """Batches of one kind, one after the other."""
        times = torch.cat([part.list_times() for part in parts])
        return Batch(
            torch.cat([part.images for part in parts]),
            _join_known([part.z for part in parts]),
            _join_known([part.landmarks for part in parts]),
            None if all(part.enlarged is None for part in parts) else times,
            _join_known([part.marked for part in parts]),
        )

    def list_times(self) -> Tensor:
        """How many times each picture was enlarged [N]; 1 for not at all."""
        if self.enlarged is None:
            return torch.ones(len(self.images), dtype=torch.long)
        return self.enlarged


def _join_known(parts: Sequence[Tensor | None]) -> Tensor | None:
    known = [part for part in parts if part is not None]
    return torch.cat(known) if len(known) == len(parts) else None


class BatchSource(Protocol):
    """Anything that gives batches of pictures, drawn with a torch generator."""

    @property
    def factor_count(self) -> int:
        """How many numbers of z the pictures depend on; 0 when they come without z."""
        ...

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """A random batch of `count` pictures."""
        ...


@runtime_checkable
class HoldoutSource(BatchSource, Protocol):
    """A source that keeps some of its pictures, with their z, to measure with."""

    def holdout(self) -> Batch:
        """Pairs that `draw` does not give."""
        ...


class Teacher(Protocol):
    """A renderer seen as a function from plain normal numbers to pictures.

    A renderer offers one as `make_teacher()` in its module; `make_teacher(compiled=True)` for one
    that may take minutes before it draws faster.
    """

    factor_count: int
    landmark_count: int

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """normal [N, factor_count] -> pictures [N, 3, R, R] in -1..1, landmarks [N, L, 2]."""
        ...


@runtime_checkable
class RegionTeacher(Teacher, Protocol):
    """A teacher that also knows what each pixel shows."""

    def render_regions(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `render`, and the regions [N, R, R], uint8 numbers that the renderer explains."""
        ...


@runtime_checkable
class DescribingTeacher(Teacher, Protocol):
    """A teacher that says what its pictures depend on, without drawing any."""

    factor_names: tuple[str, ...]

    def describe(
        self, normal: Tensor, changes: Mapping[str, float] = NO_CHANGES
    ) -> tuple[Tensor, list[str]]:
        """normal [N, factor_count] -> features [N, T], and their T names.

        Features are numbers whose effect on the picture is as even as can be: the factors
        by their names, whether a thing is there, its color where it is there. ``changes``:
        factors that are set otherwise than the normal numbers say, all others as they are.
        """
        ...

    def usual_ends(self, factor: str) -> tuple[float, float]:
        """Where a factor is at one standard deviation under and over its middle."""
        ...


def open_teacher(name: str, **options: bool | str) -> Teacher:
    """The teacher of a renderer: `portraits` is short for latentfu_builtin.portraits.teacher."""
    module = name if "." in name else f"latentfu_builtin.{name}.teacher"
    try:
        teacher: Teacher = importlib.import_module(module).make_teacher(**options)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no renderer named {name}: {error}") from error
    except TypeError as error:
        raise ValueError(f"the renderer {name} takes no {', '.join(options)}: {error}") from error
    return teacher


def teacher_normals(z: Tensor, teacher: Teacher) -> Tensor:
    """What the teacher is given for z [N, z_dim]: the mapping's own input normalization of z,
    cut to the teacher's factors, [N, factor_count]. The rest of z is ignored by the teacher."""
    if z.shape[1] < teacher.factor_count:
        raise ValueError(
            f"z has {z.shape[1]} numbers, but the renderer needs {teacher.factor_count}"
        )
    return normalize_2nd_moment(z)[:, : teacher.factor_count]


@dataclass(frozen=True)
class RendererSource:
    """Renders each batch afresh: never the same picture twice, at the renderer's speed."""

    teacher: Teacher
    resolution: int
    z_dim: int

    @property
    def factor_count(self) -> int:
        """The teacher's number of factors."""
        return self.teacher.factor_count

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random z from the generator, and what the teacher draws for them."""
        z = torch.randn(count, self.z_dim, generator=generator)
        normals = teacher_normals(z, self.teacher)
        images, landmarks = self.teacher.render(normals, self.resolution, generator)
        return Batch(images, z, landmarks)

    def holdout(self) -> Batch:
        """A few renders, the same at each look."""
        return self.draw(64, torch.Generator().manual_seed(99))


def spread_over_tokens(z: Tensor, tokens: int, generator: torch.Generator) -> Tensor:
    """A z for each of the tokens whose sum is z times the root of their number.

    z [N, D] -> [N, tokens * D], as W++'s mapping reads it (Li et al. 2021): standard normal if z
    is, so that every token has its say in what a picture is rendered from, and none decides alone.
    """
    free = torch.randn(len(z), tokens, z.shape[1], generator=generator)  # [N, T, D]
    free -= free.mean(dim=1, keepdim=True)
    return (free + z[:, None] / math.sqrt(tokens)).flatten(1)  # [N, T * D]


@dataclass(frozen=True)
class TokenSource:
    """Another source's pairs for a mapping that has a z for each style."""

    source: HoldoutSource
    tokens: int
    factor_count = 0
    """Of no token are numbers ignored."""

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random pairs, z spread over the tokens [N, tokens * z_dim]."""
        return self._spread(self.source.draw(count, generator), generator)

    def holdout(self) -> Batch:
        """The source's own, spread in the same way at each look."""
        return self._spread(self.source.holdout(), torch.Generator().manual_seed(98))

    def _spread(self, batch: Batch, generator: torch.Generator) -> Batch:
        assert batch.z is not None, "a source of pairs gives each picture its z"
        return replace(batch, z=spread_over_tokens(batch.z, self.tokens, generator))


@dataclass(frozen=True)
class UnpairedSource:
    """Another source's pictures alone: a network learns how they look, with a z of its own."""

    source: BatchSource
    factor_count = 0

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random pictures without z or landmarks."""
        return Batch(self.source.draw(count, generator).images)


class FolderSource:
    """All pictures below a folder, center-cropped to squares, kept in memory as bytes."""

    factor_count = 0

    def __init__(self, folder: Path, resolution: int, mirror: bool = False) -> None:
        paths = list_pictures(folder)
        if not paths:
            raise ValueError(f"there is no picture in {folder}")
        self.pixels = np.stack([read_square(path, resolution) for path in paths])
        self.mirror = mirror

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random pictures, with replacement; mirrored half the time when asked for."""
        chosen = torch.randint(len(self.pixels), (count,), generator=generator).numpy()
        images = to_images(self.pixels[chosen])
        if self.mirror:
            flip = torch.rand(count, generator=generator) < 0.5
            images = torch.where(flip[:, None, None, None], images.flip(3), images)
        return Batch(images)


def list_pictures(folder: Path) -> list[Path]:
    """All picture files below a folder, by their paths."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def read_square(path: Path, resolution: int) -> np.ndarray:
    """A picture's center square as uint8 [R, R, 3]; ValueError when it cannot be read."""
    try:
        with Image.open(path, formats=PICTURE_FORMATS) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((resolution, resolution), Image.Resampling.LANCZOS))


def to_images(pixels: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] in -1..1 (channels last in memory)."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2) / 127.5 - 1.0


def to_pixels(images: Tensor) -> np.ndarray:
    """float [N, 3, H, W] in -1..1 -> uint8 [N, H, W, 3]."""
    scaled = images.detach().float().cpu().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
