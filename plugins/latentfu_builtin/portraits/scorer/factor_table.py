"""What a scorer reads: the factors of one renderer, and what kind of number each is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from latentfu import BadInputError
from torch import Tensor

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


@cache
def open_factor_table(renderer: str) -> FactorTable:
    """The table of a renderer; BadInputError where none is known."""
    makers = {"portraits": _list_portraits, "people": _list_people}
    if renderer not in makers:
        raise BadInputError(f"There is no renderer {renderer}; there are {', '.join(makers)}.")
    return makers[renderer]()


def find_factor_table(names: Sequence[str]) -> FactorTable | None:
    """The table of exactly these factors; None where no renderer has them."""
    tables = [open_factor_table(renderer) for renderer in ("portraits", "people")]
    return next((table for table in tables if table.names == tuple(names)), None)


def _list_portraits() -> FactorTable:
    from latentfu_builtin.portraits.renderer import FACTOR_NAMES, FACTORS, from_normal

    presence = tuple(i for i, f in enumerate(FACTORS) if f.kind == "presence")
    circular = tuple(i for i, f in enumerate(FACTORS) if "color circle" in f.plus)
    return FactorTable("portraits", tuple(FACTOR_NAMES), presence, circular, from_normal)


def _list_people() -> FactorTable:
    from latentfu_builtin.people.factors import HUES, PERSON_FACTOR_NAMES, PERSON_FACTORS

    presence = tuple(i for i, f in enumerate(PERSON_FACTORS) if f.kind == "on-off")
    circular = tuple(PERSON_FACTOR_NAMES.index(name) for name in HUES)
    return FactorTable("people", PERSON_FACTOR_NAMES, presence, circular, _make_people)


def _make_people(normal: Tensor) -> Tensor:
    """Normal numbers ``[N, F]`` as the factors of people, each range stretched to -1..1."""
    from latentfu_builtin.people.factors import list_people, stretch_factors

    scaled = stretch_factors(list_people(normal.numpy()))
    return torch.from_numpy(scaled.astype(np.float32)).reshape(normal.shape)
