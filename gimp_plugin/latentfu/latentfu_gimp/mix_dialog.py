"""The window of ``Mix with layer...``: which layer, which of its network layers, a live preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import parse_layers
from .errors import PluginError
from .layers import Target
from .rows import keep_from_wheel
from .session import Catalog, Document
from .translate import N_, _
from .try_out_dialog import Texts, TryOutDialog, find_target
from .widgets import Choice, make_hint

ROLE = "latentfu-mix"
TEXTS = Texts(
    title=_("Mix with layer"),
    again=_("Mix with layer again"),
    source=_("Fr_om layer"),
    working=_("Mixing the portraits ..."),
    deep=_("Mixing in the layer's own precision ..."),
    ready=_("Apply puts this into a new layer."),
)
NOTHING = _("There is no second layer to mix with: open another portrait or add it as a layer.")
PARTS = (
    (N_("Pose and shape"), 0.22),
    (N_("Features"), 0.45),
    (N_("Hair and colors"), 0.75),
    (N_("Texture"), 1.0),
)
"""What may be taken, and where in the network it ends."""
OWN = {"name": "", "title": _("Layers of your own")}
EXPLAINED = _(
    "Early network layers carry pose and shape of the head, middle ones the features, late ones "
    "colors and light."
)


def mix_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the new layer, or StoppedError."""
    target, sources = find_target(image, drawables, "mix", NOTHING)
    with closing(MixDialog(target, sources, config, ROLE, TEXTS)) as dialog:
        return dialog.run()


class MixDialog(TryOutDialog):
    """Which of the network's layers are taken, by what they carry or by their numbers."""

    def _add_rows(self, right: Gtk.Box) -> None:
        self._network_layers = 0
        self._part = Choice(_("_Take"), self._names, self._take_part)
        layers = _read_layers(self._target, self._config)
        self._first, self._last = _layer_spins(layers, self._move_layers)
        right.pack_start(self._part.widget, False, False, 0)
        label = Gtk.Label.new_with_mnemonic(_("Network _layers"))
        label.set_xalign(0.0)
        label.set_mnemonic_widget(self._first)
        self._names.add_widget(label)
        row = Gtk.Box(spacing=8)
        for widget in (label, self._first, Gtk.Label(label=_("to")), self._last):
            row.pack_start(widget, False, False, 0)
        right.pack_start(row, False, False, 0)
        right.pack_start(make_hint(EXPLAINED, 46), False, False, 0)

    def _offer(self, catalog: Catalog) -> None:
        """What can be taken depends on the network, which the learnt layer tells."""

    def _learn_about(self, report: Document) -> None:
        """How many layers the network has is known: offer its parts by name."""
        self._network_layers = count = int(report.get("network_layers") or 18)
        self._learnt = False  # What the limits move is no change by the user.
        for spin in (self._first, self._last):
            spin.set_range(0, count - 1)
        parts = [{"name": name, "title": _(name)} for name, _end in PARTS if self._layers_of(name)]
        self._part.show([OWN, *parts], self._part_of_layers())
        self._learnt = True

    def _layers_of(self, part: str) -> tuple[int, int] | None:
        """The first and last layer of a part; None in a network too small for it."""
        names = [name for name, _end in PARTS]
        ends = [0, *(round(end * self._network_layers) for _name, end in PARTS)]
        first, last = ends[names.index(part)], ends[names.index(part) + 1] - 1
        return (first, last) if first <= last else None

    def _part_of_layers(self) -> str:
        chosen = (self._first.get_value_as_int(), self._last.get_value_as_int())
        return next((name for name, _end in PARTS if self._layers_of(name) == chosen), "")

    def _take_part(self) -> None:
        layers = self._layers_of(self._part.name) if self._part.name else None
        if layers:
            self._first.set_value(layers[0])
            self._last.set_value(layers[1])

    def _move_layers(self) -> None:
        if self._network_layers:
            self._part.choose(self._part_of_layers())
            self._changed()

    def _complete(self, work: jobs.Work) -> jobs.Work:
        first, last = self._first.get_value_as_int(), self._last.get_value_as_int()
        return replace(work, layers=parse_layers(f"{first}-{last}"))

    def _keep(self, work: jobs.Work) -> None:
        self._config.set_property("layers", f"{work.layers[0]}-{work.layers[1]}")

    def _tell(self, result: jobs.Result) -> None:
        """The picture says it all."""


def _read_layers(target: Target, config: Gimp.ProcedureConfig) -> tuple[int, int]:
    """The network layers of the earlier mix, else those of the last time."""
    earlier = target.earlier
    try:
        if earlier:
            first, last = earlier.mix["layers"]
            return parse_layers(f"{int(first)}-{int(last)}")
        return parse_layers(config.get_property("layers") or "4-7")
    except (PluginError, KeyError, ValueError, TypeError):
        return 4, 7


def _layer_spins(values: tuple[int, int], changed: Callable[[], None]) -> list[Gtk.SpinButton]:
    spins = []
    for value in values:
        spin = Gtk.SpinButton.new_with_range(0, max(values), 1)
        keep_from_wheel(spin)
        spin.set_value(value)
        spin.connect("value-changed", lambda _spin: changed())
        spins.append(spin)
    return spins
