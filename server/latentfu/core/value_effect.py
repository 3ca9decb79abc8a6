"""Controls that are no sliders: what they are set to, and what they do to a latent."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentfu.core.control import Control, ControlEffect, tell_values
from latentfu.core.crop import Point
from latentfu.core.errors import BadInputError
from latentfu.core.setting import COLOR, TRUTHS

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


@dataclass(frozen=True)
class Exemplar:
    """The picture that a control of the widget "picture" is set to, as the generator sees it.

    ``image``: ``[1, 3, R, R]`` in -1..1, its square found as the layer's is. ``latent``: one code
    that shows it, found by the method that finds the layer's.
    """

    image: torch.Tensor
    latent: Latent


ControlValue = bool | str | Point | tuple[float, float, float] | Exemplar
"""What a :class:`ValueEffect` is given: True for a check, a text for a choice or a text, red,
green and blue in 0..1 for a color, (x, y) in the generator's square (0..1 from its top left) for a
point, an :class:`Exemplar` for a picture."""


class ValueEffect(ControlEffect):
    """A loaded control that is no slider."""

    @abstractmethod
    def apply_value(self, latent: Latent, value: ControlValue, generator: Generator) -> Latent:
        """``latent`` with the control set to ``value``; the input is not changed.

        Args:
            latent: N codes, with what the sliders have done to them.
            value: see :data:`ControlValue`. A control that is not set is not called.
            generator: the loaded generator that will render the result.

        Returns:
            N codes of the same space and generator.
        """

    def apply(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """Not for these controls.

        Raises:
            BadInputError: always.
        """
        raise BadInputError("This control is no slider: it has a value and no strength.")


def read_control_value(
    control: Control, given: bool | str | Point
) -> bool | str | Point | tuple[float, float, float] | None:
    """What a request sets a control to, as its effect takes it, but a point in layer pixels.

    Args:
        control: one that is no slider and takes no picture.
        given: as it stands in a request or was typed: a truth value or a word for one, a text, a
            color as ``#rrggbb``, a point as two numbers or as ``x,y``.

    Returns:
        The value; None where it is as good as not set (off, no text).

    Raises:
        BadInputError: the control does not take it.
    """
    taken: bool | str | Point | tuple[float, float, float] | None = None
    match control.widget:
        case "check":
            taken = TRUTHS.get(given.lower()) if isinstance(given, str) else given
            if not isinstance(taken, bool):
                raise _refuse(control, given)
            return taken or None
        case "choice":
            taken = given if given in control.choices else None
        case "text":
            if isinstance(given, str):
                return given or None
        case "color":
            if isinstance(given, str) and COLOR.fullmatch(given):
                red, green, blue = (int(given[at : at + 2], 16) / 255 for at in (1, 3, 5))
                taken = (red, green, blue)
        case "point":
            taken = _read_point(given)
    if taken is None:
        raise _refuse(control, given)
    return taken


def _read_point(given: bool | str | Point) -> Point | None:
    """Two numbers, or a text of two numbers."""
    if isinstance(given, tuple):
        return given
    try:
        x, y = (float(part) for part in str(given).split(","))
    except ValueError:
        return None
    return (x, y) if abs(x) < 1e9 and abs(y) < 1e9 else None


def _refuse(control: Control, given: object) -> BadInputError:
    return BadInputError(
        f"{control.name} cannot be {str(given)[:100]!r}: set it to {tell_values(control)}."
    )
