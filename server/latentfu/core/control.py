"""Control: what a slider stands for. A direction moves the latent, a deformation the weights."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from latentfu.core.deprecation import rename_fields, warn_renamed
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.limits import MAX_STRENGTH
from latentfu.core.names import LayerRange, Name, Sha256

if TYPE_CHECKING:
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


class ControlEffect(ABC):
    """A loaded control: how it changes a latent before rendering."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Subclasses from before 0.2 define ``move``: it is taken as :meth:`apply`."""
        super().__init_subclass__(**keywords)
        before = cls.__dict__.get("move")
        if before is None or "apply" in cls.__dict__:
            return
        if not cls.__module__.startswith(("latentfu.", "latentfu_builtin.")):
            warn_renamed(f"{cls.__name__}.move", "apply")
        cls.apply = before  # type: ignore[method-assign]

    @abstractmethod
    def apply(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """``latent`` with the control at ``strength``; the input is not changed.

        Args:
            latent: N codes, with the offsets that other controls have added.
            strength: in the control's unit; 0 changes nothing.
            generator: the loaded generator that will render the result.

        Returns:
            N codes of the same space and generator.
        """

    def move(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """Old name of :meth:`apply`."""
        return self.apply(latent, strength, generator)


@rename_fields(plus="positive_means")
@dataclass(frozen=True)
class Control:
    """One slider.

    ``name``: what ``--set NAME=...`` takes, unique per generator. ``positive_means``: what a
    positive strength means, for people ("more smile"). ``minimum``..``maximum``: the sensible
    range in ``unit`` s. ``generator_id``: sha256 of the weights it was made for. ``layers``: first
    and last w+ layer it moves, None for all. ``load``: gives the :class:`ControlEffect` when first
    used. ``facts``: what else is known about it, for reports. ``ends``: what less and more of it
    are, in a word or two ("frown", "smile"), shown at a slider's ends. Direction files are listed
    by :func:`latentfu.directions_in`.
    """

    name: Name
    title: str
    positive_means: str
    generator_id: Sha256
    load: Callable[[], ControlEffect]
    kind: Literal["direction", "deformation"] = "direction"
    group: str = "other"
    minimum: float = -3.0
    maximum: float = 3.0
    unit: str = "standard deviations"
    layers: LayerRange | None = None
    author: str = ""
    licence: str = ""
    source: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    ends: tuple[str, str] = ("", "")


def check_strengths(edits: Mapping[str, float], controls: Mapping[str, Control]) -> None:
    """Refuse unknown names and strengths that are out of range.

    Raises:
        NotInstalledError: a name in ``edits`` is not in ``controls``.
        BadInputError: a strength is not a finite number between -100 and 100.

    >>> check_strengths({"smile": 2.0}, {})
    Traceback (most recent call last):
    latentfu.core.errors.NotInstalledError: There is no control 'smile' for this generator; ...
    """
    for name, strength in edits.items():
        if name not in controls:
            known = ", ".join(sorted(controls)) or "none"
            raise NotInstalledError(
                f"There is no control {name!r} for this generator; installed: {known}."
            )
        if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
            raise BadInputError(
                f"The strength of {name} is {strength}: "
                f"give a number between -{MAX_STRENGTH} and {MAX_STRENGTH}."
            )
