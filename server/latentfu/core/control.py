"""Control: what a slider, a choice or a color in the list of edits stands for."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from latentfu.core.deprecation import rename_fields, warn_deprecated
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.limits import MAX_STRENGTH
from latentfu.core.names import LayerRange, Name, Sha256

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator
    from latentfu.core.latent import Latent


Widget = Literal["slider", "check", "choice", "color", "point", "picture", "text"]
"""How a control is shown, and with it what it is set to: see :class:`Control`."""


class ControlEffect(ABC):
    """A loaded control: how it changes a latent before rendering."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Subclasses from before 0.2 define ``move``: it is taken as :meth:`apply`."""
        super().__init_subclass__(**keywords)
        before = cls.__dict__.get("move")
        if before is None or "apply" in cls.__dict__:
            return
        if not cls.__module__.startswith(("latentfu.", "latentfu_builtin.")):
            warn_deprecated("ControlEffect.move", f"{cls.__name__}.move")
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

    def amount(self, latent: Latent, generator: Generator) -> torch.Tensor:
        """How much of the control each code holds, ``[N]``, in units of strength.

        Optional: an effect that can be read off a code defines it, and can then be moved to an
        amount (``--to``), transferred from another picture, and reported.

        Raises:
            BadInputError: this control has none.
        """
        raise BadInputError("it cannot be read off a code: give it a strength, not a target")

    def reach(self, latent: Latent, amount: float, generator: Generator) -> Latent:
        """``latent`` moved until it holds ``amount``, whatever it held before.

        Made of :meth:`amount` and :meth:`apply`, in a few steps where they are not linear.
        """
        import torch

        parts = []
        for row in range(len(latent)):
            one = latent.with_codes(latent.codes[row : row + 1])
            held, gain = float(self.amount(one, generator)[0]), 1.0
            for _ in range(_REACH_STEPS):
                step = (amount - held) / gain
                if abs(amount - held) < _REACH_NEAR:
                    break
                one = self.apply(one, step, generator)
                before, held = held, float(self.amount(one, generator)[0])
                gain = (held - before) / step or 1.0  # a secant: what the next step will bring
            parts.append(one.codes)
        return latent.with_codes(torch.cat(parts)) if parts else latent

    def within(self, layers: tuple[int, int]) -> ControlEffect:
        """The same effect on the rows first..last of w+ codes; the others stay as they are."""
        return _EffectWithin(self, layers)

    def move(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """Old name of :meth:`apply`."""
        return self.apply(latent, strength, generator)


_REACH_STEPS = 6
_REACH_NEAR = 1e-3


class _EffectWithin(ControlEffect):
    """An effect kept to some rows of the codes."""

    def __init__(self, whole: ControlEffect, layers: tuple[int, int]) -> None:
        self._whole = whole
        self._layers = layers

    def apply(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        moved = self._whole.apply(latent, strength, generator)
        if latent.codes.ndim != 3:
            raise BadInputError(f"A code in {latent.space} has no layers to keep an edit to.")
        first, last = self._layers
        codes = latent.codes.clone()
        codes[:, first : last + 1] = moved.codes[:, first : last + 1]
        return moved.with_codes(codes)

    def amount(self, latent: Latent, generator: Generator) -> torch.Tensor:
        return self._whole.amount(latent, generator)


@rename_fields(plus="positive_means")
@dataclass(frozen=True)
class Control:
    """One thing that can be edited: a slider, or what ``widget`` says.

    ``name``: what ``--set NAME=...`` takes, unique per generator. ``positive_means``: what a
    positive strength means, for people ("more smile"). ``minimum``..``maximum``: the sensible
    range in ``unit`` s. ``generator_id``: sha256 of the weights it was made for. ``layers``: first
    and last w+ layer it moves, None for all. ``load``: gives the :class:`ControlEffect` when first
    used; one that takes an argument gets the opened generator. It is called once for a generator
    that is open, and again when a field of the control changes. ``facts``: what else is known
    about it, for reports; a control that comes from a file says ``"version"`` there, which changes
    with the file. ``kind``: what it moves: "direction" (the latent), "deformation" (the
    weights), or a word of your own; directions are applied first, then the other kinds by name.
    ``regions``: where it acts, by the names of a :class:`latentfu.RegionParser`; None: it is
    measured. ``ends``: what less and more of it are, in a word or two ("frown", "smile"), shown at
    a slider's ends. ``still``: whether it moves nothing, such as another light, so that the detail
    of a photograph stays where it is. Direction files are listed by :func:`latentfu.directions_in`.
    ``widget``: "slider", which has a strength; all others have a value, ``load`` gives a
    :class:`latentfu.ValueEffect` for them and ``kind`` is a word of your own: "check" (on or off),
    "choice" (one of ``choices``), "color" (``#rrggbb``), "point" (a place in the layer), "picture"
    (another layer or picture file) and "text" (one line). ``minimum``, ``maximum``, ``unit``,
    ``ends`` and ``layers`` are of sliders alone.
    """

    name: Name
    title: str
    positive_means: str
    generator_id: Sha256
    load: Callable[[], ControlEffect] | Callable[[Generator], ControlEffect]
    kind: Name = "direction"
    group: str = "other"
    minimum: float = -3.0
    maximum: float = 3.0
    unit: str = "standard deviations"
    layers: LayerRange | None = None
    author: str = ""
    licence: str = ""
    source: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    regions: tuple[Name, ...] | None = None
    ends: tuple[str, str] = ("", "")
    widget: Widget = "slider"
    choices: tuple[str, ...] = ()
    still: bool = False

    def find_fault(self) -> str | None:
        """What the types of the fields cannot say, as the end of "returned a Control with ..."."""
        if not self.minimum < self.maximum:
            return f"the range {self.minimum}..{self.maximum}"
        if (self.widget == "choice") != bool(self.choices):
            return f"the widget {self.widget} and {len(self.choices)} choices"
        if len(set(self.choices)) < len(self.choices):
            return "two choices of one name"
        if self.widget != "slider" and self.kind in ("direction", "deformation"):
            return f"the widget {self.widget} and the kind {self.kind}, which is of sliders"
        return None

    def load_for(self, generator: Generator) -> ControlEffect:
        """What the control does to latents of an opened generator: :attr:`load`, called as it is
        written.
        """
        load: Callable[..., ControlEffect] = self.load
        return load(generator) if _takes_generator(load) else load()


def check_strengths(edits: Mapping[str, float], controls: Mapping[str, Control]) -> None:
    """Refuse unknown names and strengths that are out of range.

    Raises:
        NotInstalledError: a name in ``edits`` is not in ``controls``.
        BadInputError: a strength is not a finite number between -100 and 100, or the control is
            no slider.

    >>> check_strengths({"smile": 2.0}, {})
    Traceback (most recent call last):
    latentfu.core.errors.NotInstalledError: There is no control 'smile' for this generator; ...
    """
    for name, strength in edits.items():
        control = find_control(name, controls)
        if control.widget != "slider":
            raise BadInputError(f"{name} is no slider: set it to {tell_values(control)}.")
        if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
            raise BadInputError(
                f"The strength of {name} is {strength}: "
                f"give a number between -{MAX_STRENGTH} and {MAX_STRENGTH}."
            )


def find_control(name: str, controls: Mapping[str, Control]) -> Control:
    """The control of that name; raises NotInstalledError, which says what there is."""
    if name not in controls:
        known = ", ".join(sorted(controls)) or "none"
        raise NotInstalledError(
            f"There is no control {name!r} for this generator; installed: {known}."
        )
    return controls[name]


def tell_values(control: Control) -> str:
    """What a control can be set to, for the end of a sentence.

    >>> tell_values(Control("hat", "Hat", "", "0" * 64, list, widget="choice", choices=("a", "b")))
    'one of a, b'
    """
    words = {
        "slider": "a number",
        "check": "on or off",
        "choice": f"one of {', '.join(control.choices)}",
        "color": "a color such as #ff8800",
        "point": "a place in the layer, x,y in pixels",
        "picture": "a picture",
        "text": "a text of one line",
    }
    return words[control.widget]


def _takes_generator(load: Callable[..., object]) -> bool:
    """Whether a control's ``load`` wants the opened generator."""
    try:
        parameters = inspect.signature(load).parameters.values()
    except (TypeError, ValueError):
        return False
    empty = inspect.Parameter.empty
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.default is empty and each.kind in plain for each in parameters)
