"""Noise maps as part of what is found (Karras et al. 2020, arXiv 1912.04958, appendix D).

A map is kept as a bend: the difference to the generator's own map of that layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, WeightOffset
from torch import Tensor

SMALLEST = 8
"""Maps of this side and less are not halved any further."""


@dataclass(frozen=True)
class NoiseMaps:
    """One map ``[N, R, R]`` for each of ``names``; ``own [R, R]`` are the generator's."""

    names: tuple[str, ...]
    own: tuple[Tensor, ...]
    maps: tuple[Tensor, ...]

    @staticmethod
    def of(generator: Generator, wanted: str, count: int) -> NoiseMaps | None:
        """Free maps for ``count`` pictures; None when ``wanted`` is no, or auto and none is shown.

        Raises BadInputError when yes is wanted and the generator shows no noise maps.
        """
        names = tuple(layer.noise for layer in generator.layers if layer.noise)
        if wanted == "no" or (wanted == "auto" and not names):
            return None
        if not names:
            raise BadInputError(
                f"The generator {generator.name} shows no noise maps: leave noise at no."
            )
        own = tuple(generator.parameter(name).detach().clone() for name in names)
        maps = tuple(part.expand(count, *part.shape).clone().requires_grad_(True) for part in own)
        return NoiseMaps(names, own, maps)

    def bends(self) -> tuple[WeightOffset, ...]:
        """The maps of the whole batch as bends, each for its own picture."""
        count = len(self.maps[0])
        if count == 1:
            return self.bends_of(0)
        picks = torch.eye(count, device=self.maps[0].device)
        return tuple(
            WeightOffset(name, item - own, picks[row])
            for name, own, maps in zip(self.names, self.own, self.maps, strict=True)
            for row, item in enumerate(maps)
        )

    def bends_of(self, row: int) -> tuple[WeightOffset, ...]:
        """The maps of one picture."""
        return tuple(
            WeightOffset(name, maps[row] - own)
            for name, own, maps in zip(self.names, self.own, self.maps, strict=True)
        )

    def order(self) -> Tensor:
        """How far the maps are from white noise, [N]: neighbours' products at every size."""
        total = self.maps[0].new_zeros(len(self.maps[0]))
        for maps in self.maps:
            part = maps[:, None]  # [N, 1, R, R]
            while True:
                for axis in (2, 3):
                    total = total + (part * part.roll(1, axis)).mean(dim=(1, 2, 3)).square()
                if part.shape[-1] <= SMALLEST:
                    break
                part = F.avg_pool2d(part, 2)
        return total

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every map mean 0 and spread 1 again."""
        for maps in self.maps:
            maps.sub_(maps.mean(dim=(1, 2), keepdim=True))
            maps.div_(maps.std(dim=(1, 2), keepdim=True).clamp_min(1e-8))

    def frozen(self) -> NoiseMaps:
        """A copy that the search does not move."""
        return NoiseMaps(self.names, self.own, tuple(part.detach().clone() for part in self.maps))
