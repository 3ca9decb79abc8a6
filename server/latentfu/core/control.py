"""Control: what a slider moves. A direction moves the latent, a deformation the weights."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from latentfu.core.errors import BadInputError, NotInstalledError

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


class Mover(ABC):
    """A loaded control: how it changes a latent before rendering."""

    @abstractmethod
    def move(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """``latent`` moved by ``strength`` units; the input is not changed."""


@dataclass(frozen=True)
class Control:
    """One slider.

    ``name``: what ``--set NAME=...`` takes, unique per generator. ``plus``: what a positive
    strength means, for people ("more smile"). ``minimum``..``maximum``: the sensible range in
    ``unit`` s. ``generator_id``: sha256 of the weights it was made for. ``layers``: first and
    last w+ layer it moves, None for all. ``load``: gives the :class:`Mover` when first used.
    """

    name: str
    title: str
    plus: str
    generator_id: str
    load: Callable[[], Mover]
    kind: Literal["direction", "deformation"] = "direction"
    group: str = "other"
    minimum: float = -3.0
    maximum: float = 3.0
    unit: str = "standard deviations"
    layers: tuple[int, int] | None = None
    author: str = ""
    licence: str = ""
    source: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


def check_strengths(edits: Mapping[str, float], controls: Mapping[str, Control]) -> None:
    """Refuse unknown names and strengths that are no finite number (one sentence each)."""
    for name, strength in edits.items():
        if name not in controls:
            known = ", ".join(sorted(controls)) or "none"
            raise NotInstalledError(
                f"There is no control {name!r} for this generator; installed: {known}."
            )
        if not math.isfinite(strength) or abs(strength) > 100:
            raise BadInputError(
                f"The strength of {name} is {strength}: give a number between -100 and 100."
            )
