"""The pictures that a generator's own are compared with: a folder's, or fresh renders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
from latentfu import BadInputError, Generator
from torch import Tensor

from latentfu_builtin.stylegan.training.source import (
    RendererSource,
    list_pictures,
    open_teacher,
    read_square,
    to_images,
)

RENDERS = "renders"
"""What is said for the renderer that bears the name of the generator's domain."""
LEAST = 32
"""Fewer pictures say nothing."""


class References(ABC):
    """``count`` pictures, in an order that the seed gives."""

    count: int

    @abstractmethod
    def draw(self, start: int, end: int) -> Tensor:
        """Those from ``start`` to before ``end``: ``[N, 3, R, R]`` in -1..1."""


class FolderReferences(References):
    """The center squares of all pictures below a folder.

    Args:
        folder: whose pictures.
        side: pixels they are scaled to.
        most: how many are taken at most.
        seed: of their order.

    Raises:
        BadInputError: there are fewer than `LEAST`.
    """

    def __init__(self, folder: Path, side: int, most: int, seed: int) -> None:
        paths = list_pictures(folder)
        if len(paths) < LEAST:
            raise BadInputError(
                f"{folder} has {len(paths)} pictures: with fewer than {LEAST} a comparison says "
                "nothing."
            )
        order = np.random.default_rng(seed).permutation(len(paths))[:most]
        self._paths, self._side = [paths[place] for place in order], side
        self.count = len(self._paths)

    def draw(self, start: int, end: int) -> Tensor:
        """The pictures; raises BadInputError for one that cannot be read."""
        try:
            pixels = [read_square(path, self._side) for path in self._paths[start:end]]
        except ValueError as error:
            raise BadInputError(f"The pictures cannot be compared with: {error}.") from error
        return to_images(np.stack(pixels))


class RendererReferences(References):
    """Fresh pictures of a renderer; those that are drawn together share a seed.

    Args:
        name: such as ``people`` or ``portraits``.
        side: pixels.
        count: how many there are.
        seed: of the first.

    Raises:
        BadInputError: there is no such renderer, or what it needs is not installed.
    """

    def __init__(self, name: str, side: int, count: int, seed: int) -> None:
        try:
            teacher = open_teacher(name)
        except ValueError as error:
            raise BadInputError(
                f"{name} is neither a folder nor a renderer that can be used here: {error}."
            ) from error
        self._source = RendererSource(teacher, side, teacher.factor_count)
        self._seed, self.count = seed, count

    def draw(self, start: int, end: int) -> Tensor:
        """The renders."""
        return self._source.draw(
            end - start, torch.Generator().manual_seed(self._seed + start)
        ).images


def open_references(against: str, generator: Generator, count: int, seed: int) -> References:
    """What a generator is compared with.

    Args:
        against: a folder, ``renders``, or a renderer's name.
        generator: whose size they get.
        count: how many at most.
        seed: of their choice.

    Raises:
        BadInputError: there is no such thing, or there is too little of it.
    """
    folder = Path(against)
    if folder.is_dir():
        return FolderReferences(folder, generator.resolution, count, seed)
    name = generator.domain if against == RENDERS else against
    return RendererReferences(name, generator.resolution, count, seed)
