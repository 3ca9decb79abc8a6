"""What a scorer reads: the factors of one renderer, and what kind of number each is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
from latentfu import BadInputError
from torch import Tensor

from latentfu_builtin.lazy import import_name

_DRAWN = 4000
"""So many draws say how much each factor varies."""


@dataclass(frozen=True)
class FactorTable:
    """The factors that one renderer draws from.

    Attributes:
        renderer: Its name, as ``latentfu train pairs --renderer`` takes it.
        names: Of the F factors, in the order of their normal numbers.
        presence: Columns that say whether a thing is there, above 0.
        circular: Columns whose two ends mean the same: hues that go round.
        from_normal: Normal numbers ``[N, F]`` -> factors ``[N, F]``, about -1..1.
    """

    renderer: str
    names: tuple[str, ...]
    presence: tuple[int, ...]
    circular: tuple[int, ...]
    from_normal: Callable[[Tensor], Tensor] = field(compare=False)

    @property
    def plain(self) -> tuple[int, ...]:
        """Columns that are neither."""
        others = {*self.presence, *self.circular}
        return tuple(i for i in range(len(self.names)) if i not in others)

    def measure_variances(self) -> Tensor:
        """How much each plain factor varies, so that each can count the same."""
        random = torch.Generator().manual_seed(0)
        normal = torch.randn(_DRAWN, len(self.names), generator=random)
        return self.from_normal(normal)[:, list(self.plain)].var(dim=0)


_TABLES = {
    "portraits": "latentfu_builtin.portraits.factor_table:list_portrait_factors",
    "people": "latentfu_builtin.people.factor_lists:list_people_factors",
}
"""Of each renderer: what lists its factors, in the order of `FactorTable`."""


@cache
def open_factor_table(renderer: str) -> FactorTable:
    """The table of a renderer; BadInputError where none is known."""
    if renderer not in _TABLES:
        raise BadInputError(f"There is no renderer {renderer}; there are {', '.join(_TABLES)}.")
    return FactorTable(renderer, *import_name(_TABLES[renderer])())


def find_factor_table(names: Sequence[str]) -> FactorTable | None:
    """The table of exactly these factors; None where no renderer has them."""
    tables = [open_factor_table(renderer) for renderer in _TABLES]
    return next((table for table in tables if table.names == tuple(names)), None)
