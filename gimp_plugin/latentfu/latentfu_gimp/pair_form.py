"""The page of ``Make a direction...`` with layers before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import format_options, recall_options
from .direction_ways import DirectionQuestion, find_by_pairs
from .method_choice import MethodChoice
from .pair_layers import list_sides, read_side
from .pairs import PairWork
from .session import Catalog
from .source_choice import flatten_layers
from .translate import _, ngettext
from .widgets import Choice, make_hint
from .wire import Picture

SUGGESTED = "my-direction"
EXPLAINED = _(
    "The layers of both sides are pairs, from the top: the same person or pose before and after, "
    "so that they differ in one thing only. The more pairs, the better."
)
NOTHING = _("There is nothing to compare: put layers before and after into two groups.")


class PairForm:
    """``changed`` is called when something else is asked for, ``warn`` with what cannot be."""

    def __init__(
        self,
        image: Gimp.Image | None,
        config: Gimp.ProcedureConfig,
        names: Gtk.SizeGroup,
        changed: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        sides = list_sides(image.get_layers()) if image is not None else []
        self._sides = {str(layer.get_id()): layer for layer in sides}
        self._config = config
        self._before = Choice(_("_Before"), names, changed)
        self._after = Choice(_("_After"), names, changed)
        self._inverters = MethodChoice(_("Meth_od"), names, changed, warn)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        self.widget.pack_start(make_hint(EXPLAINED if self.is_usable else NOTHING), False, False, 0)
        if self.is_usable:
            self._show_sides()
            for row in (self._before.widget, self._after.widget, self._inverters.rows):
                self.widget.pack_start(row, False, False, 0)

    def _show_sides(self) -> None:
        titles = [{"name": name, "title": _title_side(one)} for name, one in self._sides.items()]
        first = list(self._sides)
        self._before.show(titles, _guess_side(self._sides, "before", first[0]))
        self._after.show(titles, _guess_side(self._sides, "after", first[1]))

    @property
    def is_usable(self) -> bool:
        """Whether there are two sides to choose from."""
        return len(self._sides) > 1

    @property
    def suggested_name(self) -> str:
        """What the direction is called when nobody says."""
        return SUGGESTED

    def offer(self, catalog: Catalog) -> None:
        """List what the server has."""
        self._inverters.options.set(recall_options(self._config.get_property("options")))
        chosen = self._config.get_property("inverter") or ""
        self._inverters.offer(catalog.inverters, catalog.generator, chosen)

    def describe(self) -> str:
        """How many layers stand on each side."""
        if not self.is_usable:
            return NOTHING
        count = [
            len(list(flatten_layers([self._sides[choice.name]])))
            for choice in (self._before, self._after)
        ]
        text = ngettext("{count} layer before", "{count} layers before", count[0])
        other = ngettext("{count} after", "{count} after", count[1])
        return f"{text.format(count=count[0])}, {other.format(count=count[1])}."

    def read(self, generator: str, name: str, plus: str) -> DirectionQuestion:
        """What is asked for; raises PluginError when it cannot be done."""
        before, after = self._sides[self._before.name], self._sides[self._after.name]
        method, options = self._inverters.name, self._inverters.options.values
        work = jobs.Work(
            Picture(0, 0, 3, b""), generator=generator, inverter=method, options=options
        )
        asked = PairWork(read_side(before), read_side(after), work, name, plus).check()
        arguments: dict[str, Any] = {
            "before": before,
            "after": after,
            "attribute": "",
            "inverter": method,
            "options": format_options(options),
        }
        return DirectionQuestion(
            lambda client, report: find_by_pairs(client, asked, report), arguments
        )


def _title_side(layer: Gimp.Layer) -> str:
    name = str(layer.get_name())
    if not layer.is_group():
        return name
    count = len(layer.get_children())
    text = ngettext("{name}, a group of {count}", "{name}, a group of {count}", count)
    return text.format(name=name, count=count)


def _guess_side(sides: dict[str, Gimp.Layer], word: str, otherwise: str) -> str:
    """The group or layer that is called so."""
    found = (name for name, one in sides.items() if word in one.get_name().lower())
    return next(found, otherwise)
