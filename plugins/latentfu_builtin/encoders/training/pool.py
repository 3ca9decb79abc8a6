"""Pictures in memory that are used a few times each: rendering costs more than learning."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from latentfu_builtin.encoders.training.sources import Lesson, Lessons

PORTION = 32


class Pool:
    """``size`` lessons of ``source``; ``fresh`` of them replaced whenever some are drawn."""

    def __init__(
        self,
        source: Lessons,
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
        for start in range(0, size, PORTION):
            parts.append(packed(source.draw(min(PORTION, size - start), random)))
            told(min(start + PORTION, size))
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
        new = packed(self.source.draw(self.fresh, self.random))
        rows = (torch.arange(self.fresh) + self.next) % len(self.known)
        self.pictures[rows], self.offsets[rows] = new.pictures, new.offsets
        self.known[rows] = new.known
        self.next = int(rows[-1]) + 1


def packed(lesson: Lesson) -> Lesson:
    """The lesson with its pictures as bytes."""
    return Lesson(as_bytes(lesson.pictures), lesson.offsets, lesson.known)


def as_bytes(pictures: Tensor) -> Tensor:
    """[N, 3, R, R] in -1..1 -> uint8."""
    return ((pictures.cpu() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
