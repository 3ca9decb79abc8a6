"""A sweep: one control moved step by step, a layer for each step, as GIMP's playback reads them."""

from __future__ import annotations

from dataclasses import dataclass

from .arguments import LARGEST_STRENGTH, Edits
from .errors import PluginError
from .translate import _

AS_LAYERS, AS_GROUP, AS_IMAGE = "layers", "group", "image"
"""What the layers become: layers above the swept one, a group there, an image of their own."""
SWEEP_FORMS = (
    {"name": AS_GROUP, "title": _("A layer group")},
    {"name": AS_LAYERS, "title": _("Layers")},
    {"name": AS_IMAGE, "title": _("A new image, for playback and export")},
)
FEWEST, MOST = 2, 200
QUICKEST, SLOWEST = 10, 60_000
"""Milliseconds that a layer is shown."""


@dataclass(frozen=True)
class SweepPlan:
    """``control`` from ``first`` to ``last`` in ``count`` steps, ``milliseconds`` each.

    ``back``: the same way back, so that the animation has no jump when it begins anew.
    """

    control: str
    first: float
    last: float
    count: int
    milliseconds: int = 100
    back: bool = False

    def check(self) -> SweepPlan:
        """This plan; raises PluginError when it cannot be followed."""
        if not self.control.strip():
            raise PluginError(_("No control is chosen: name one, such as smile."))
        if self.first == self.last:
            raise PluginError(_("From and to are the same: there is nothing to sweep over."))
        if max(abs(self.first), abs(self.last)) > LARGEST_STRENGTH:
            raise PluginError(_("The strengths go too far: give numbers between -100 and 100."))
        if not FEWEST <= self.count <= MOST:
            raise PluginError(
                _("{count} layers cannot be made: give a number from {fewest} to {most}.").format(
                    count=self.count, fewest=FEWEST, most=MOST
                )
            )
        return self

    @property
    def strengths(self) -> list[float]:
        """Of each step, the first to the last."""
        step = (self.last - self.first) / (self.count - 1)
        return [round(self.first + number * step, 4) for number in range(self.count)]

    @property
    def order(self) -> list[int]:
        """Which step each layer shows, in the order of time."""
        there = list(range(self.count))
        return there + there[-2:0:-1] if self.back else there

    def edits(self, step: int) -> Edits:
        """What is moved in a step."""
        strength = self.strengths[step]
        return {self.control: strength} if strength else {}

    def name_layer(self, step: int) -> str:
        """``smile +1.5 (100ms) (replace)``: what is in parentheses tells GIMP how to play it."""
        return f"{self.control} {self.strengths[step]:+.3g} ({self.milliseconds}ms) (replace)"

    @property
    def title(self) -> str:
        """What the group is called."""
        return f"{self.control} {self.first:+.3g} ... {self.last:+.3g} (Latent-Fu)"
