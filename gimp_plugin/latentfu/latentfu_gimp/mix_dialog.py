"""The window of ``Mix with layer...``: which layer, what is taken of it, a live preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import FIRST_LAYERS, LAYERS, parse_layers, read_mixed_regions
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
REGIONS = (
    (N_("The hair"), ("hair",)),
    (N_("The eyes"), ("eyes", "brows")),
    (N_("The nose"), ("nose",)),
    (N_("The mouth"), ("mouth", "teeth")),
    (N_("The face"), ("skin", "eyes", "brows", "nose", "mouth", "teeth")),
    (N_("The hat"), ("hat",)),
)
"""What may be taken as the other layer shows it, and its regions."""
PARTS = (
    (N_("Pose and shape"), 0.22),
    (N_("Features"), 0.45),
    (N_("Hair and colors"), 0.75),
    (N_("Texture"), 1.0),
)
"""What may be taken of its styles, and where in the network it ends."""
OWN = {"name": "", "title": _("Layers of your own")}
EXPLAINED = _(
    "Hair, eyes, nose, mouth and hat come as the other layer shows them, the rest in the network's "
    "styles: early network layers carry pose and shape of the head, middle ones the features, "
    "late ones colors and light."
)


def mix_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the new layer, or StoppedError."""
    target, sources = find_target(image, drawables, "mix", NOTHING)
    with closing(MixDialog(target, sources, config, ROLE, TEXTS)) as dialog:
        return dialog.run()


class MixDialog(TryOutDialog):
    """What is taken: regions, or the network's layers by what they carry or by their numbers."""

    def _add_rows(self, right: Gtk.Box) -> None:
        self._network_layers = 0
        self._regions = _read_regions(self._target, self._config)
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

    def _opened(self, catalog: Catalog) -> None:
        """Regions are taken at once; what network layers give needs the face learnt."""
        if not self._regions:
            super()._opened(catalog)
            return
        self._show_parts([name for name, _end in PARTS])
        self._prepared({})

    def _offer(self, catalog: Catalog) -> None:
        """What can be taken depends on the network, which the learnt layer tells."""

    def _learn_about(self, report: Document) -> None:
        """How many layers the network has is known: offer its parts by name."""
        if self._regions:
            self._use_layers(False)
            return
        self._network_layers = count = int(report.get("network_layers") or 18)
        wanted = self._part.name
        self._learnt = False  # What the limits move is no change by the user.
        for spin in (self._first, self._last):
            spin.set_range(0, count - 1)
        if wanted in dict(PARTS):  # chosen before it was known which layers these are
            self._set_layers(wanted)
        self._show_parts([name for name, _end in PARTS if self._layers_of(name)])
        self._use_layers(True)
        self._learnt = True

    def _show_parts(self, names: Sequence[str]) -> None:
        """What can be taken: regions, then these parts of the network."""
        regions = [{"name": " ".join(names), "title": _(title)} for title, names in REGIONS]
        own = " ".join(self._regions)
        if self._regions and own not in [each["name"] for each in regions]:
            regions.append({"name": own, "title": own})
        parts = [{"name": name, "title": _(name)} for name in names]
        self._part.show([*regions, *parts, OWN], own or self._part_of_layers())

    def _use_layers(self, used: bool) -> None:
        for spin in (self._first, self._last):
            spin.set_sensitive(used)

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
        part = self._part.name
        regions = bool(part) and part not in dict(PARTS)
        self._regions = part.split() if regions else []
        self._use_layers(not regions)
        if regions:
            self._changed()
        elif not self._network_layers:
            self._learn_layers()
        elif not part or not self._set_layers(part):
            self._changed()

    def _learn_layers(self) -> None:
        """The first time that network layers are asked for: the face has to be learnt."""
        self._learnt = False
        self._tried = None
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        self._learn()

    def _set_layers(self, part: str) -> bool:
        """Put in the layers of a part; whether that changed the numbers."""
        layers = self._layers_of(part)
        before = self._first.get_value_as_int(), self._last.get_value_as_int()
        if not layers or layers == before:
            return False
        self._first.set_value(layers[0])
        self._last.set_value(layers[1])
        return True

    def _move_layers(self) -> None:
        if self._network_layers:
            self._part.choose(self._part_of_layers())
            self._changed()

    def _complete(self, work: jobs.Work) -> jobs.Work:
        if self._regions:
            return replace(work, extra={**work.extra, "regions": self._regions})
        first, last = self._first.get_value_as_int(), self._last.get_value_as_int()
        return replace(work, layers=parse_layers(f"{first}-{last}"))

    def _keep(self, work: jobs.Work) -> None:
        self._config.set_property("regions", " ".join(self._regions) or LAYERS)
        if not self._regions:
            self._config.set_property("layers", f"{work.layers[0]}-{work.layers[1]}")

    def _tell(self, result: jobs.Result) -> None:
        """The picture says it all."""


def _read_regions(target: Target, config: Gimp.ProcedureConfig) -> list[str]:
    """The regions of the earlier mix, else those of the last time; the first time the hair.

    None where network layers were taken, or are asked for by their numbers.
    """
    earlier = target.earlier
    try:
        if earlier:
            return read_mixed_regions(" ".join(map(str, earlier.mix.get("regions") or [])))
        given = config.get_property("regions") or ""
        asked = (config.get_property("layers") or FIRST_LAYERS) != FIRST_LAYERS
        return read_mixed_regions(given or (LAYERS if asked else "hair"))
    except (PluginError, TypeError):
        return []


def _read_layers(target: Target, config: Gimp.ProcedureConfig) -> tuple[int, int]:
    """The network layers of the earlier mix, else those of the last time."""
    earlier = target.earlier
    try:
        if earlier:
            first, last = earlier.mix["layers"]
            return parse_layers(f"{int(first)}-{int(last)}")
        return parse_layers(config.get_property("layers") or FIRST_LAYERS)
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
