"""The numbers that an optimization moves, and the latents they stand for.

One point is ``[rows, D]``: one row for z and w, one for each layer in w+ and w++.

Zhu et al. 2020 (arXiv 2012.09036) measure a code by its distance to the mean in units of the
spread of w. Here the search itself is done in those units, so that one learning rate fits all
axes and the codes stay where edits keep their meaning.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import cast
from weakref import WeakKeyDictionary

import torch
from latentfu import BadInputError, Generator, Latent, Space, random_latents
from torch import Tensor

_spreads: WeakKeyDictionary[Generator, Spread] = WeakKeyDictionary()
_SAMPLES = 2048
_SMALLEST_SPREAD = 0.02
"""Axes narrower than this part of the widest one are searched as if they had it."""


def _get_spread(generator: Generator) -> Spread:
    """The generator's spread of w (of each token of w++), measured once while it is open."""
    if generator not in _spreads:
        by_row = generator.spaces[-1] == "w++"
        _spreads[generator] = (measure_row_spread if by_row else measure_spread)(generator)
    return _spreads[generator]


class Coordinates(ABC):
    """Points ``[N, rows, D]`` of one space of one generator."""

    generator: Generator
    rows: int

    @abstractmethod
    def origin(self) -> Tensor:
        """The point of the mean latent, ``[1, rows, D]``."""

    @abstractmethod
    def latent(self, points: Tensor) -> Latent:
        """Points ``[N, rows, D]`` -> N latents that the generator renders."""

    @abstractmethod
    def points(self, latent: Latent) -> Tensor:
        """The points that come nearest to ``latent`` (BadInputError when they cannot be had)."""

    @abstractmethod
    def strangeness(self, points: Tensor) -> Tensor:
        """How far from the generator's own latents, [N]: about 1 for its own, 0 for the mean."""

    @abstractmethod
    def scale(self) -> Tensor:
        """The spread of the generator's own points along each axis, ``[rows or 1, D]``."""


@dataclass
class NoiseCoordinates(Coordinates):
    """z: standard normal numbers, through the mapping network."""

    generator: Generator

    rows: int = 1

    def origin(self) -> Tensor:
        return torch.zeros(1, 1, self.generator.z_dim, device=self.generator.device)

    def latent(self, points: Tensor) -> Latent:
        return self.generator.map(points[:, 0])

    def points(self, latent: Latent) -> Tensor:
        if latent.space != "z":
            raise BadInputError(
                f"A code in {latent.space} says no z: start from the mean, or search in w+."
            )
        return latent.codes[:, None]

    def strangeness(self, points: Tensor) -> Tensor:
        return points.square().mean(dim=(1, 2))

    def scale(self) -> Tensor:
        return self.origin()[0] + 1.0


@dataclass
class StyleCoordinates(Coordinates):
    """w, w+ or w++: the mean and how far from it.

    ``plain``: points are differences to the mean; else they are in spreads of the generator's
    own codes along their own axes.
    """

    generator: Generator
    rows: int
    mean: Tensor  # [1 or num_ws, D]
    spread: Spread
    plain: bool

    def origin(self) -> Tensor:
        return self.mean.new_zeros(1, self.rows, self.mean.shape[-1])

    def codes(self, points: Tensor) -> Tensor:
        """Points ``[N, rows, D]`` -> w ``[N, rows, D]``."""
        return self.mean + (points if self.plain else self.spread.moved(points))

    def latent(self, points: Tensor) -> Latent:
        codes = self.codes(points)
        generator = self.generator
        for space in ("w++", "w+"):
            if space in generator.spaces:
                ws = codes.expand(-1, generator.num_ws, -1)
                return Latent(ws, cast(Space, space), generator.id)
        return Latent(codes[:, 0], "w", generator.id)

    def points(self, latent: Latent) -> Tensor:
        codes = latent.codes[:, None] if latent.codes.ndim == 2 else latent.codes
        if self.rows == 1:
            codes = codes.mean(dim=1, keepdim=True)
        codes = codes.expand(-1, self.rows, -1)
        return codes - self.mean if self.plain else self._whitened(codes - self.mean)

    def strangeness(self, points: Tensor) -> Tensor:
        white = self._whitened(points) if self.plain else points
        apart = white - white.mean(dim=1, keepdim=True)
        return (white.square() + apart.square()).mean(dim=(1, 2))

    def scale(self) -> Tensor:
        lengths = self.spread.axes.norm(dim=-1)  # spread of each coordinate of w
        lengths = lengths[None] if lengths.ndim == 1 else lengths
        return lengths if self.plain else torch.ones_like(lengths)

    def _whitened(self, offsets: Tensor) -> Tensor:
        return self.spread.whitened(self.spread.mean + offsets)


def choose_coordinates(generator: Generator, space: str, units: str) -> Coordinates:
    """The coordinates of ``space`` ("auto": where the generator edits best) in ``units``.

    Raises BadInputError for a space that the generator does not have.
    """
    edited = generator.spaces[-1]
    space = edited if space == "auto" else space
    known = {"z", "w", *generator.spaces} if generator.w_dim else {"z"}
    if edited == "w++":
        known -= {"w", "w+"}
    if space not in known:
        raise BadInputError(
            f"The generator {generator.name} has no space {space!r}; it has: "
            f"{', '.join(sorted(known))}."
        )
    if space == "z":
        return NoiseCoordinates(generator)
    spread = _get_spread(generator)
    mean = generator.mean_latent().codes[0].detach()
    mean = mean[None] if mean.ndim == 1 else mean if space == "w++" else mean[:1]
    rows = 1 if space == "w" else generator.num_ws
    return StyleCoordinates(generator, rows, mean, spread, units == "plain")


@dataclass(frozen=True)
class Spread:
    """``mean [D]`` and ``axes [D, D]``: w = mean + axes @ p with p about normal.

    For codes whose rows each have a mean of their own: ``[rows, D]``; where they have a spread of
    their own too, the axes are ``[rows, D, D]``.
    """

    mean: Tensor
    axes: Tensor

    def codes(self, p: Tensor) -> Tensor:
        """p ``[..., D]`` (``[N, rows, D]``) -> w of the same shape."""
        return self.mean + self.moved(p)

    def moved(self, p: Tensor) -> Tensor:
        """p ``[..., D]`` (``[N, rows, D]``) -> how far from the mean that is in w."""
        if self.axes.ndim == 2:
            return p @ self.axes.T
        return torch.einsum("nrp,rwp->nrw", p, self.axes)

    def whitened(self, w: Tensor) -> Tensor:
        """w ``[..., D]`` (``[N, rows, D]``) -> p of the same shape."""
        lengths = self.axes.norm(dim=-2)
        directions = self.axes / lengths.unsqueeze(-2)
        if self.axes.ndim == 2:
            p: Tensor = ((w - self.mean) @ directions) / lengths
        else:
            p = torch.einsum("nrw,rwp->nrp", w - self.mean, directions) / lengths
        return p


def measure_code_shape(generator: Generator) -> tuple[int, int]:
    """How many codes a picture of the generator has (1 without layers), and their length."""
    shape = generator.mean_latent().codes.shape[1:]
    return (int(shape[0]) if len(shape) == 2 else 1), int(shape[-1])


def measure_spread(generator: Generator, seed: int = 0) -> Spread:
    """The spread of ``generator``'s w, one for all rows, from 2048 random latents."""
    samples = _sample_codes(generator, seed)  # [N, rows, D]
    mean = generator.mean_latent().codes[0]
    mean = mean.mean(dim=0) if mean.ndim == 2 else mean
    return _measure_spread_around(mean, samples.flatten(0, 1))


def measure_shared_spread(generator: Generator, seed: int = 0) -> Spread:
    """As :func:`measure_spread`, but around a mean ``[rows, D]`` for each token in w++.

    The axes are the same for all rows, so that one dense layer may say where each row goes.
    """
    samples = _sample_codes(generator, seed)  # [N, rows, D]
    if samples.shape[1] == 1:
        return measure_spread(generator, seed)
    means = generator.mean_latent().codes[0]  # [rows, D]
    around = _measure_spread_around(torch.zeros_like(means[0]), (samples - means).flatten(0, 1))
    return Spread(means.float(), around.axes)


def measure_row_spread(generator: Generator, seed: int = 0) -> Spread:
    """The spread of each row of ``generator``'s codes (w++, where each token has its own)."""
    samples = _sample_codes(generator, seed).transpose(0, 1)  # [rows, N, D]
    means = generator.mean_latent().codes[0]
    parts = [_measure_spread_around(mean, row) for mean, row in zip(means, samples, strict=True)]
    return Spread(torch.stack([p.mean for p in parts]), torch.stack([p.axes for p in parts]))


@torch.no_grad()
def _sample_codes(generator: Generator, seed: int) -> Tensor:
    """2048 codes ``[N, rows, D]``; one row where all rows of a code are the same."""
    latents = random_latents(generator, _SAMPLES, seed)
    if latents.space == "w++":
        return latents.codes
    return latents.codes[:, :1] if latents.codes.ndim == 3 else latents.codes[:, None]


@torch.no_grad()
def _measure_spread_around(mean: Tensor, codes: Tensor) -> Spread:
    """The axes of ``codes [N, D]`` around ``mean [D]``, each as long as the spread along it."""
    centered = (codes - mean).double()
    values, vectors = torch.linalg.eigh(centered.T @ centered / len(codes))
    spread = values.clamp(min=0).sqrt()
    spread = spread.clamp(min=float(spread.max()) * _SMALLEST_SPREAD + 1e-8)
    return Spread(mean.float(), (vectors * spread).float())
