"""Pictures that the predictor has seen, kept so that it can learn from them once more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latentfu_builtin.deformations.training.predictor import seen_at


@dataclass(frozen=True)
class Shown:
    """Samples plain and deformed ``[N, 3, R, R]``, by which direction and shift ``[N]``."""

    plain: Tensor
    deformed: Tensor
    which: Tensor
    shift: Tensor


class Memory:
    """The last ``most`` samples, as small as the predictor sees them (``side``)."""

    def __init__(self, most: int, side: int) -> None:
        self.most, self.side = most, side
        self.kept: list[Shown] = []

    def keep(self, shown: Shown) -> None:
        """Add a batch; the oldest ones go when there are too many."""
        small = replace(
            shown,
            plain=seen_at(self.side, shown.plain),
            deformed=seen_at(self.side, shown.deformed.detach()),
        )
        self.kept = [*self.kept, small][-max(self.most // len(shown.which), 1) :]

    def some(self, count: int, random: torch.Generator) -> Shown:
        """``count`` samples of those kept, drawn at random."""
        sizes = [len(batch.which) for batch in self.kept]
        chosen = torch.randint(0, sum(sizes), (count,), generator=random)
        batch, place = chosen // sizes[0], chosen % sizes[0]
        pairs = list(zip(batch.tolist(), place.tolist(), strict=True))
        columns = (
            torch.stack([getattr(self.kept[b], name)[i] for b, i in pairs])
            for name in ("plain", "deformed", "which", "shift")
        )
        return Shown(*columns)
