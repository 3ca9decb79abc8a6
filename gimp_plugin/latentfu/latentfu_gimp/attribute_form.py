"""The page of ``Make a direction...`` with an attribute that a scorer reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import Gimp, Gtk

from .arguments import format_options, recall_options
from .attribute_directions import FEWEST_SAMPLES, MOST_SAMPLES, AttributeWork
from .direction_ways import DirectionQuestion, find_by_attribute
from .method_options import MethodOptions
from .translate import _
from .widgets import Choice, NumberChoice, make_hint

EXPLAINED = _(
    "Pictures of the network are drawn and read: the direction leads from those with little of the "
    "attribute to those with much of it. The more pictures, the better, and the longer it takes."
)
NOTHING = _(
    "Nothing reads attributes in pictures of this network: take layers before and after, or "
    "another network."
)


class AttributeForm:
    """``changed`` is called when something else is asked for, ``warn`` with what cannot be."""

    def __init__(
        self,
        config: Gimp.ProcedureConfig,
        names: Gtk.SizeGroup,
        changed: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        self._config = config
        self._changed = changed
        self._listed: Sequence[Mapping[str, Any]] = ()
        self._attributes = Choice(_("Attri_bute"), names, changed)
        self._makers = Choice(_("Make_r"), names, self._choose_maker)
        self._options = MethodOptions(names, changed, warn, _("Options of the maker"))
        self._options.set(recall_options(config.get_property("maker-options")))
        self._samples = NumberChoice(_("Pict_ures"), names, (FEWEST_SAMPLES, MOST_SAMPLES), changed)
        self._samples.set(config.get_property("samples"))
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        self.widget.pack_start(make_hint(EXPLAINED), False, False, 0)
        for row in (self._attributes, self._makers, self._options, self._samples):
            self.widget.pack_start(row.widget, False, False, 0)

    @property
    def is_usable(self) -> bool:
        """Whether there is an attribute to choose."""
        return bool(self._attributes.name)

    @property
    def suggested_name(self) -> str:
        """What the direction is called when nobody says."""
        return f"my-{self._attributes.name}"

    def offer(self, found: Mapping[str, Any]) -> None:
        """List the makers and attributes that the server has for a network."""
        self._listed = found["makers"]
        chosen = self._attributes.name or self._config.get_property("attribute") or ""
        self._attributes.show(found["attributes"], chosen)
        self._attributes.widget.set_visible(bool(found["attributes"]))  # one alone says something
        maker = self._makers.name or self._config.get_property("maker") or ""
        self._makers.show(self._listed, maker)
        self._options.offer(self._listed, self._makers.name)

    def _choose_maker(self) -> None:
        self._options.offer(self._listed, self._makers.name)
        self._changed()

    def describe(self) -> str:
        """What is to be done."""
        return "" if self.is_usable else NOTHING

    def read(self, generator: str, name: str, plus: str) -> DirectionQuestion:
        """What is asked for; raises PluginError when it cannot be done."""
        asked = AttributeWork(
            self._attributes.name,
            generator,
            self._makers.name,
            self._options.values,
            self._samples.value,
            self._config.get_property("seed"),
            name,
            plus,
        ).check()
        arguments: dict[str, Any] = {
            "before": None,
            "after": None,
            "attribute": asked.attribute,
            "maker": asked.maker,
            "maker-options": format_options(asked.options),
            "samples": asked.samples,
        }
        return DirectionQuestion(
            lambda client, report: find_by_attribute(client, asked, report), arguments
        )
