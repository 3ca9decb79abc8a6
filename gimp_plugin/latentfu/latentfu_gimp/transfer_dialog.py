"""The window of ``Make it like another layer...``: which layer, what of it, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import AUTO, LARGEST_SCALE, read_names, read_regions
from .choices import list_areas
from .direction_list import DirectionList
from .errors import PluginError
from .rows import NumberRow
from .session import Catalog, Document
from .translate import _
from .try_out_dialog import Texts, TryOutDialog, find_target
from .widgets import Choice

ROLE = "latentfu-transfer"
TEXTS = Texts(
    title=_("Make it like another layer"),
    again=_("Make it like another layer again"),
    source=_("_Like layer"),
    working=_("Moving the portrait ..."),
    deep=_("Moving it in the layer's own precision ..."),
    ready=_("Apply puts this into a new layer."),
)
NOTHING = _("There is no second layer to be like: open another portrait or add it as a layer.")
NOTHING_TICKED = _("Tick what shall become like in the other layer.")
FARTHEST = 2.0


def transfer_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the new layer, or StoppedError."""
    target, sources = find_target(image, drawables, "transfer", NOTHING)
    with closing(TransferDialog(target, sources, config, ROLE, TEXTS)) as dialog:
        return dialog.run()


class TransferDialog(TryOutDialog):
    """What is moved to where the other layer stands, or taken from its picture as it is."""

    def _add_rows(self, right: Gtk.Box) -> None:
        earlier = self._target.earlier
        scale, regions = float(self._config.get_property("scale")), AUTO
        if earlier:
            scale = float(earlier.transfer.get("scale") or 1.0)
            regions = earlier.regions
        scale = min(max(scale, -LARGEST_SCALE), LARGEST_SCALE)
        self._directions = DirectionList(self._changed)
        self._scale = NumberRow(
            _("_How far"), (0.0, FARTHEST), self._changed, neutral=None, value=scale
        )
        self._scale.widget.set_tooltip_text(
            _("1 is where the other portrait stands, 2 as far again")
        )
        self._regions = Choice(_("_Where"), self._names, self._changed)
        regions = regions if earlier else self._config.get_property("regions") or AUTO
        self._regions.show(list_areas(regions), regions)
        right.pack_start(self._directions.widget, True, True, 0)
        right.pack_start(self._scale.widget, False, False, 0)
        right.pack_start(self._regions.widget, False, False, 0)

    def _offer(self, catalog: Catalog) -> None:
        self._directions.show([*catalog.controls, *catalog.valued], self._read_chosen())
        self._directions.search.grab_focus()

    def _read_chosen(self) -> Sequence[str]:
        """The directions of the earlier result, else those of the last time."""
        earlier = self._target.earlier
        if earlier:
            return [str(name) for name in earlier.transfer.get("along") or []]
        try:
            return read_names(self._config.get_property("along") or "")
        except PluginError:
            return []

    def _learn_about(self, report: Document) -> None:
        """Nothing in this window depends on it."""

    def _complete(self, work: jobs.Work) -> jobs.Work:
        names = self._directions.names
        if not names:
            raise PluginError(NOTHING_TICKED)
        extra = {"regions": read_regions(self._regions.name)}
        return replace(work, along=names, scale=self._scale.value, extra=extra)

    def _keep(self, work: jobs.Work) -> None:
        self._config.set_property("along", " ".join(work.along))
        self._config.set_property("scale", work.scale)
        self._config.set_property("regions", self._regions.name)

    def _tell(self, result: jobs.Result) -> None:
        self._directions.tell(result.report.get("moves") or {})
