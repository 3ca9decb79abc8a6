"""Directions of a network that learned from a renderer, read off what its z means: no picture.

The renderer says what pictures depend on for any z, and for any z with one factor set
otherwise. What of w goes with each feature is a linear map; so the mean change of the features
that a factor makes, all others held, is a direction. Boundaries from samples find what goes
together in the samples (old people have gray hair); this moves the one factor alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from latentfu import (
    BadInputError,
    ControlRequest,
    Direction,
    Generator,
    check_cancelled,
    save_direction,
)
from torch import Tensor

from latentfu_builtin.stylegan.training.source import (
    DescribingTeacher,
    open_teacher,
    teacher_normals,
)
from latentfu_builtin.stylegan.training.teach_mapping import fit_linear

_MOVED = 2000
"""On so many z a factor is set otherwise: more change a direction by less than a hundredth."""
_PORTION = 500
_LEAST = 0.2
"""A factor whose features w explains less than this (R2) has no direction worth a slider."""


@dataclass(frozen=True)
class _KnownCodes:
    """Normal numbers [N, F], what pictures of them depend on [N, T], and their w [N, D]."""

    normals: Tensor
    features: Tensor
    codes: Tensor
    names: list[str]

    @staticmethod
    def draw(
        generator: Generator, teacher: DescribingTeacher, request: ControlRequest
    ) -> _KnownCodes:
        """As many as are asked for, from the request's seed; nothing is rendered."""
        random = torch.Generator().manual_seed(request.seed)
        z = torch.randn(request.samples, generator.z_dim, generator=random)
        normals = teacher_normals(z, teacher)
        features, codes = [], []
        names: list[str] = []
        for start in range(0, len(z), _PORTION):
            check_cancelled()
            part, names = teacher.describe(normals[start : start + _PORTION])
            features.append(part)
            with torch.no_grad():
                w = generator.map(z[start : start + _PORTION].to(generator.device)).codes
            codes.append((w[:, 0] if w.ndim == 3 else w).float().cpu())
            request.progress(0.9 * min(1.0, (start + _PORTION) / len(z)), "Asking the renderer")
        return _KnownCodes(normals, torch.cat(features), torch.cat(codes), names)


def make_known_direction(request: ControlRequest, out: Path) -> list[Path]:
    """The direction of a renderer's factor, in w; option ``renderer``: whose numbers z holds.

    Strength 1 moves the factor by one standard deviation of the renderer's people; what is there
    or not by half of the way between.

    Raises:
        BadInputError: the renderer does not say what its numbers mean, has no such factor,
            the network's z is too short, or its w does not know the factor.
    """
    return [save_direction(KnownDirectionMaker.of(request).make(request), out)]


@dataclass(frozen=True)
class KnownDirectionMaker:
    """What is asked of the renderer once, for the directions of any of its factors.

    ``weight [T, D]``: what of w goes with each of its features, in their spreads ``[T]``.
    """

    teacher: DescribingTeacher
    drawn: _KnownCodes
    spread: Tensor
    weight: Tensor

    @staticmethod
    def of(request: ControlRequest) -> KnownDirectionMaker:
        """For the request's generator; raises BadInputError as :func:`make_known_direction`."""
        name = str(request.options.get("renderer", "people"))
        teacher = _open_describing(name, request.generator)
        drawn = _KnownCodes.draw(request.generator, teacher, request)
        spread = drawn.features.std(0).clamp_min(1e-3)
        weight, _ = fit_linear((drawn.features - drawn.features.mean(0)) / spread, drawn.codes)
        return KnownDirectionMaker(teacher, drawn, spread, weight)

    def make(self, request: ControlRequest, step: float = 1.0) -> Direction:
        """The direction of ``request.attribute``; strength 1 moves it by ``step`` spreads.

        Raises BadInputError as :func:`make_known_direction` does.
        """
        factor = request.attribute
        if factor not in self.teacher.factor_names:
            there = ", ".join(self.teacher.factor_names)
            raise BadInputError(f"The renderer has no factor {factor}; it has: {there}.")
        change = _measure_change(self.teacher, self.drawn, factor)  # [T]
        vector = (change / self.spread) @ self.weight  # [D]
        known = _measure_knowledge(self.drawn, vector, factor)
        if known < _LEAST:
            raise BadInputError(
                f"This network's w does not know {factor} of the renderer (R2 {known:.2f}): "
                f"teach its mapping (latentfu train mapping), or train a boundary."
            )
        request.progress(1.0)
        return _describe(request, step * vector)


def _open_describing(name: str, generator: Generator) -> DescribingTeacher:
    try:
        teacher = open_teacher(name)
    except ValueError as error:
        raise BadInputError(f"{str(error).capitalize()}.") from error
    if not isinstance(teacher, DescribingTeacher):
        raise BadInputError(f"The renderer {name} does not say what its numbers mean.")
    if generator.z_dim < teacher.factor_count:
        raise BadInputError(
            f"The network {generator.name} has a z of {generator.z_dim} numbers, and the renderer "
            f"{name} needs {teacher.factor_count}: it did not learn from it."
        )
    return teacher


def _measure_change(teacher: DescribingTeacher, drawn: _KnownCodes, factor: str) -> Tensor:
    """What of the features [T] changes with half of the factor's step, all other factors held."""
    normals = drawn.normals[:_MOVED]
    low, high = teacher.usual_ends(factor)
    ends = [
        torch.cat([teacher.describe(part, {factor: end})[0] for part in torch.split(normals, 500)])
        for end in (low, high)
    ]
    return (ends[1] - ends[0]).mean(0) / 2


def _measure_knowledge(drawn: _KnownCodes, vector: Tensor, factor: str) -> float:
    """R2 of the factor told by the amount of its direction in w."""
    amount = (drawn.codes - drawn.codes.mean(0)) @ vector
    value = drawn.features[:, drawn.names.index(factor)]
    return float(np.corrcoef(amount.numpy(), value.numpy())[0, 1] ** 2)


def _describe(request: ControlRequest, vector: Tensor) -> Direction:
    generator, plain = request.generator, request.attribute.replace("_", " ")

    def word(name: str, default: str = "") -> str:
        return str(request.options.get(name) or default)

    return Direction(
        vector=vector.numpy(),
        space="w",
        name=word("name", request.attribute),
        generator_id=generator.id,
        title=word("title", plain.capitalize()),
        attribute=request.attribute,
        plus=word("plus", f"more {plain}"),
        group=word("group", "other"),
        generator=generator.name,
        method="renderer",
        samples=request.samples,
        author=word("author"),
        licence=word("licence"),
        source=word("source"),
    )
