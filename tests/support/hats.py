"""A renderer of plain colors that says what its numbers mean: a gray, and a red where a hat is."""

from __future__ import annotations

from collections.abc import Mapping

import torch

_NO_CHANGES: Mapping[str, float] = {}


class Hats:
    """Draws a gray of one number; red lies over it where another passes a bound.

    Gray and hats go together in its people: the lighter, the more hats there are.
    """

    factor_count = 4
    landmark_count = 5
    factor_names = ("gray", "hat")

    def render(
        self, normal: torch.Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        features, _ = self.describe(normal)
        colors = features[:, :1].repeat(1, 3) * 0.5
        colors[:, 0] += features[:, 1] * 0.5
        images = colors[:, :, None, None].expand(-1, -1, resolution, resolution)
        return images.contiguous(), torch.full((len(normal), 5, 2), 0.5)

    def describe(
        self, normal: torch.Tensor, changes: Mapping[str, float] = _NO_CHANGES
    ) -> tuple[torch.Tensor, list[str]]:
        gray = normal[:, 0].tanh()
        hat = (8 * (normal[:, 1] + 0.6 * normal[:, 0] - 0.9)).clamp(0, 1)
        found = {"gray": gray, "hat": hat}
        found |= {name: torch.full_like(gray, value) for name, value in changes.items()}
        both = found["hat"] * normal[:, 2].sign()
        return torch.stack([found["gray"], found["hat"], both], 1), ["gray", "hat", "hat side"]

    def usual_ends(self, factor: str) -> tuple[float, float]:
        return (-0.6, 0.6) if factor == "gray" else (0.0, 1.0)


def make_teacher(compiled: bool = False) -> Hats:
    return Hats()
