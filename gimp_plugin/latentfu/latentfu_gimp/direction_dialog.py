"""The window of ``Make a direction...``: two groups of layers, a name, and what was measured."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import format_options, recall_options
from .choices import title_networks
from .errors import PluginError, StoppedError
from .help import add_help
from .method_choice import MethodChoice
from .pair_layers import list_sides, read_side
from .pairs import PairWork, keep_direction, measure_pairs, tell_measured
from .session import Catalog, Session, Watcher
from .source_choice import flatten_layers
from .translate import _, ngettext
from .widgets import Choice, StatusLine, lay_out, new_window, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-direction"
MEASURE, KEPT = 1, 2
EXPLAINED = _(
    "The layers of both sides are pairs, from the top: the same person or pose before and after, "
    "so that they differ in one thing only. The more pairs, the better."
)


def make_with_dialog(image: Gimp.Image, config: Gimp.ProcedureConfig) -> str:
    """Let the user make a direction; what was measured, or StoppedError when none was kept."""
    sides = list_sides(image.get_layers())
    if len(sides) < 2:
        raise PluginError(
            _("There is nothing to compare: put layers before and after into two groups.")
        )
    with closing(DirectionDialog(sides, config)) as dialog:
        return dialog.run()


class DirectionDialog:
    """Nothing is kept before its report was shown."""

    def __init__(self, sides: list[Gimp.Layer], config: Gimp.ProcedureConfig) -> None:
        self._sides = {str(layer.get_id()): layer for layer in sides}
        self._config = config
        self._measured: dict[str, Any] | None = None
        self._dialog = new_window(_("Make a direction"), ROLE)
        cancel = self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("Mea_sure"), MEASURE)
        self._dialog.add_button(_("_Keep"), Gtk.ResponseType.OK)
        add_help(self._dialog, cancel)
        restore_size(self._dialog, ROLE, 560, 460)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._before = Choice(_("_Before"), names, self._changed)
        self._after = Choice(_("_After"), names, self._changed)
        self._name_row, self._name = _make_entry(
            _("_Name"), names, config.get_property("name") or ""
        )
        self._plus_row, self._plus = _make_entry(
            _("More of it _means"), names, config.get_property("plus") or ""
        )
        self._generators = Choice(_("Net_work"), names, self._changed)
        self._status = StatusLine(with_report=True)
        self._inverters = MethodChoice(_("Meth_od"), names, self._changed, self._status.warn)
        self._found = Gtk.Label(label="", xalign=0.0)
        self._session = Session(on_main, Watcher(self._status.busy, self._failed))
        self._form = self._build()
        lay_out(self._dialog, [self._form], self._status)

    def _build(self) -> Gtk.Box:
        titles = [{"name": name, "title": _title(one)} for name, one in self._sides.items()]
        first = list(self._sides)
        self._before.show(titles, _guess(self._sides, "before", first[0]))
        self._after.show(titles, _guess(self._sides, "after", first[1]))
        form = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        hint = Gtk.Label(label=EXPLAINED, xalign=0.0)
        hint.set_line_wrap(True)
        hint.set_max_width_chars(60)
        hint.get_style_context().add_class("dim-label")
        form.pack_start(hint, False, False, 0)
        rows = (
            self._before.widget, self._after.widget, self._name_row, self._plus_row,
            self._generators.widget, self._inverters.rows,
        )  # fmt: skip
        for row in rows:
            form.pack_start(row, False, False, 0)
        self._found.set_line_wrap(True)
        self._found.set_max_width_chars(60)
        self._found.set_selectable(True)
        form.pack_start(self._found, True, True, 0)
        for entry in (self._name, self._plus):
            entry.connect("changed", lambda _entry: self._changed())
        return form

    def run(self) -> str:
        """Show the window until a direction is kept; raises StoppedError."""
        self._dialog.show_all()
        self._set_ready(False)
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._session.open(self._config.get_property("generator") or "", self._opened)
        while True:
            response = self._dialog.run()
            if response == KEPT and self._measured:
                return tell_measured(self._measured["told"])
            if response == MEASURE:
                self._measure()
            elif response == Gtk.ResponseType.OK and self._measured:
                self._keep(self._measured)
            elif response not in (KEPT, Gtk.ResponseType.OK):
                raise StoppedError

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _opened(self, catalog: Catalog) -> None:
        read = self._config.get_property
        self._generators.show(title_networks(catalog.generators), catalog.generator)
        self._inverters.options.set(recall_options(read("options")))
        self._inverters.offer(catalog.inverters, catalog.generator, read("inverter") or "")
        self._set_ready(True)
        self._changed()

    def _changed(self) -> None:
        """What was measured is no longer what is asked for."""
        self._measured = None
        self._found.set_text("")
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        count = [
            len(list(flatten_layers([self._sides[choice.name]])))
            for choice in (self._before, self._after)
        ]
        text = ngettext("{count} layer before", "{count} layers before", count[0])
        other = ngettext("{count} after", "{count} after", count[1])
        told = f"{text.format(count=count[0])}, {other.format(count=count[1])}."
        self._status.idle(told)

    def _measure(self) -> None:
        try:
            work = jobs.Work(
                Picture(0, 0, 3, b""),
                generator=self._generators.name,
                inverter=self._inverters.name,
                options=self._inverters.options.values,
            )
            asked = PairWork(
                read_side(self._sides[self._before.name]),
                read_side(self._sides[self._after.name]),
                work,
                self._name.get_text().strip(),
                self._plus.get_text().strip(),
            ).check()
        except PluginError as error:
            self._status.error(str(error))
            return
        self._keep_arguments(asked)
        self._set_ready(False)
        self._session.ask(
            lambda client, report: measure_pairs(client, asked, report), self._show_measured
        )

    def _show_measured(self, measured: dict[str, Any]) -> None:
        self._measured = measured
        self._set_ready(True)
        self._found.set_text(tell_measured(measured["told"]))
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)
        self._status.idle(_("Keep puts it among your own directions."))

    def _keep(self, measured: dict[str, Any]) -> None:
        self._set_ready(False)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        self._session.ask(
            lambda client, _report: keep_direction(client, measured),
            lambda _told: self._dialog.response(KEPT),
        )

    def _failed(self, sentence: str) -> None:
        self._set_ready(True)
        self._status.error(sentence)

    def _set_ready(self, ready: bool) -> None:
        self._form.set_sensitive(ready)
        self._dialog.set_response_sensitive(MEASURE, ready)
        self._dialog.set_response_sensitive(
            Gtk.ResponseType.OK, ready and self._measured is not None
        )

    def _keep_arguments(self, asked: PairWork) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this."""
        put = self._config.set_property
        put("before", self._sides[self._before.name])
        put("after", self._sides[self._after.name])
        put("name", asked.name)
        put("plus", asked.plus)
        put("generator", asked.work.generator)
        put("inverter", asked.work.inverter)
        put("options", format_options(asked.work.options))


def _make_entry(label: str, names: Gtk.SizeGroup, text: str) -> tuple[Gtk.Box, Gtk.Entry]:
    """A labelled line of text: the row, and what is written into."""
    entry = Gtk.Entry()
    entry.set_text(text)
    entry.get_accessible().set_name(label.replace("_", ""))
    name = Gtk.Label.new_with_mnemonic(label)
    name.set_xalign(0.0)
    names.add_widget(name)
    name.set_mnemonic_widget(entry)
    row = Gtk.Box(spacing=8)
    row.pack_start(name, False, False, 0)
    row.pack_start(entry, True, True, 0)
    return row, entry


def _title(layer: Gimp.Layer) -> str:
    name = str(layer.get_name())
    if not layer.is_group():
        return name
    count = len(layer.get_children())
    text = ngettext("{name}, a group of {count}", "{name}, a group of {count}", count)
    return text.format(name=name, count=count)


def _guess(sides: dict[str, Gimp.Layer], word: str, otherwise: str) -> str:
    """The group or layer that is called so."""
    found = (name for name, one in sides.items() if word in one.get_name().lower())
    return next(found, otherwise)
