"""The pictures that a search compares: the generator's own, or quick ones of fewer pixels.

At 1024 px most of a search's time goes into layers that say nothing about where a face is or what
it looks like. So the search looks at pictures of fewer pixels, which the generator draws by a
shorter way (``Generator.preview``), and what that way changes is measured now and then and added:
where the search stands the quick picture is the whole one made small.
"""

from __future__ import annotations

from copy import copy

import torch
import torch.nn.functional as F
from latentfu import Generator, Latent
from torch import Tensor


class SearchPictures:
    """Pictures of ``generator`` with about ``side`` pixels; 0, or as many as it has: its own.

    ``size``: the side that they really have.
    """

    def __init__(self, generator: Generator, side: int = 0) -> None:
        self.generator, self.side = generator, side
        self.size = generator.resolution
        self._drift: Tensor | None = None
        if 0 < side < generator.resolution:
            with torch.no_grad():
                self.size = generator.preview(generator.mean_latent(), side).shape[-1]

    @property
    def are_whole(self) -> bool:
        """Whether they are the generator's own."""
        return self.size >= self.generator.resolution

    def draw(self, latent: Latent) -> Tensor:
        """N codes -> [N, 3, S, S], about -1..1; gradients flow as in ``Generator.render``."""
        if self.are_whole:
            return self.generator.render(latent)
        image = self.generator.preview(latent, self.side)
        return image if self._drift is None else image + self._drift

    @torch.no_grad()
    def anchor(self, latent: Latent) -> None:
        """Make the quick pictures right at these N codes, at the cost of their whole pictures."""
        if not self.are_whole:
            whole = self.generator.render(latent).float()  # [N, 3, R, R]
            self._drift = self.shrink(whole) - self.generator.preview(latent, self.side).float()

    def of(self, row: int) -> SearchPictures:
        """Those of one picture of a search for several."""
        one = copy(self)
        if self._drift is not None:
            one._drift = self._drift[row : row + 1]
        return one

    def shrink(self, pictures: Tensor) -> Tensor:
        """Whole pictures or masks [N, C, R, R] -> [N, C, S, S], the mean of what falls together."""
        return pictures if self.are_whole else F.adaptive_avg_pool2d(pictures, self.size)

    def enlarge(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] -> [N, 3, R, R], to be looked at."""
        if self.are_whole:
            return pictures
        sides = (self.generator.resolution, self.generator.resolution)
        return F.interpolate(pictures, sides, mode="bilinear", align_corners=False)
