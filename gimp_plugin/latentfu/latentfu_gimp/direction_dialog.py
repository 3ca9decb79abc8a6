"""The window of ``Make a direction...``: layers or an attribute, a name, and what was measured."""

from __future__ import annotations

from contextlib import closing

from gi.repository import Gimp, Gtk

from .attribute_directions import ask_makers
from .attribute_form import AttributeForm
from .choices import title_networks
from .direction_ways import FoundDirection
from .errors import PluginError, StoppedError
from .help import add_help
from .pair_form import PairForm
from .session import Catalog, Session, Watcher
from .translate import _
from .widgets import Choice, StatusLine, lay_out, new_window, on_main
from .window_size import keep_size, restore_size

ROLE = "latentfu-direction"
MEASURE, KEPT = 1, 2


def make_with_dialog(image: Gimp.Image | None, config: Gimp.ProcedureConfig) -> str:
    """Let the user make a direction; what was measured, or StoppedError when none was kept."""
    with closing(DirectionDialog(image, config)) as dialog:
        return dialog.run()


class DirectionDialog:
    """Nothing is kept before its report was shown."""

    def __init__(self, image: Gimp.Image | None, config: Gimp.ProcedureConfig) -> None:
        self._config = config
        self._found: FoundDirection | None = None
        self._is_ready = False
        self._dialog = new_window(_("Make a direction"), ROLE)
        cancel = self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("Mea_sure"), MEASURE)
        self._dialog.add_button(_("_Keep"), Gtk.ResponseType.OK)
        add_help(self._dialog, cancel)
        restore_size(self._dialog, ROLE, 560, 520)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._name_row, self._name = _make_entry(
            _("_Name"), names, config.get_property("name") or ""
        )
        self._plus_row, self._plus = _make_entry(
            _("More of it _means"), names, config.get_property("plus") or ""
        )
        self._generators = Choice(_("Net_work"), names, self._change_network)
        self._status = StatusLine(with_report=True)
        self._report = Gtk.Label(label="", xalign=0.0)
        self._session = Session(on_main, Watcher(self._status.busy, self._failed))
        given = config, names, self._changed, self._status.warn
        self._pairs, self._attribute = PairForm(image, *given), AttributeForm(*given)
        self._suggested = self._pairs.suggested_name
        self._pages = Gtk.Notebook()
        self._form = self._build()
        lay_out(self._dialog, [self._form], self._status)

    def _build(self) -> Gtk.Box:
        form = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        for way, title in (
            (self._pairs, _("_Layers before and after")),
            (self._attribute, _("An attr_ibute")),
        ):
            way.widget.set_border_width(8)
            self._pages.append_page(way.widget, Gtk.Label.new_with_mnemonic(title))
        self._pages.connect("notify::page", lambda *_: self._changed())
        for row in (self._pages, self._generators.widget, self._name_row, self._plus_row):
            form.pack_start(row, False, False, 0)
        self._report.set_line_wrap(True)
        self._report.set_max_width_chars(60)
        self._report.set_selectable(True)
        form.pack_start(self._report, True, True, 0)
        for entry in (self._name, self._plus):
            entry.connect("changed", lambda _entry: self._changed())
        return form

    @property
    def _way(self) -> PairForm | AttributeForm:
        """The page that is shown."""
        return self._attribute if self._pages.get_current_page() else self._pairs

    def run(self) -> str:
        """Show the window until a direction is kept; raises StoppedError."""
        self._dialog.show_all()
        by_attribute = self._config.get_property("attribute") or not self._pairs.is_usable
        self._pages.set_current_page(1 if by_attribute else 0)
        self._set_ready(False)
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._session.open(self._config.get_property("generator") or "", self._opened)
        while True:
            response = self._dialog.run()
            if response == KEPT and self._found:
                return self._found.text
            if response == MEASURE:
                self._measure()
            elif response == Gtk.ResponseType.OK and self._found:
                self._keep(self._found)
            elif response not in (KEPT, Gtk.ResponseType.OK):
                raise StoppedError

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _opened(self, catalog: Catalog) -> None:
        self._generators.show(title_networks(catalog.generators), catalog.generator)
        self._pairs.offer(catalog)
        self._change_network()

    def _change_network(self) -> None:
        """What can be made of another network is asked for."""
        generator = self._generators.name
        self._set_ready(False)
        self._session.ask(lambda client, _report: ask_makers(client, generator), self._show_makers)

    def _show_makers(self, found: dict[str, list[dict[str, object]]]) -> None:
        self._attribute.offer(found)
        self._set_ready(True)
        self._changed()

    def _changed(self) -> None:
        """What was measured is no longer what is asked for."""
        self._found = None
        self._report.set_text("")
        if not self._is_ready:
            return
        self._suggest_name()
        self._set_ready(True)
        self._status.idle(self._way.describe())

    def _suggest_name(self) -> None:
        """The way's own name, where nobody has written another."""
        before, self._suggested = self._suggested, self._way.suggested_name
        if self._suggested != before and self._name.get_text() in ("", before):
            self._name.set_text(self._suggested)

    def _measure(self) -> None:
        name, plus = (entry.get_text().strip() for entry in (self._name, self._plus))
        try:
            asked = self._way.read(self._generators.name, name, plus)
        except PluginError as error:
            self._status.error(str(error))
            return
        common = {"name": name, "plus": plus, "generator": self._generators.name}
        for argument, value in {**common, **asked.arguments}.items():
            self._config.set_property(argument, value)  # so that repeating the filter repeats this
        self._set_ready(False)
        self._session.ask(asked.ask, self._show_found)

    def _show_found(self, found: FoundDirection) -> None:
        self._found = found
        self._set_ready(True)
        self._report.set_text(found.text)
        self._status.idle(_("Keep puts it among your own directions."))

    def _keep(self, found: FoundDirection) -> None:
        self._set_ready(False)
        self._session.ask(found.keep, lambda _none: self._dialog.response(KEPT))

    def _failed(self, sentence: str) -> None:
        self._set_ready(True)
        self._status.error(sentence)

    def _set_ready(self, ready: bool) -> None:
        self._is_ready = ready
        self._form.set_sensitive(ready)
        set_sensitive = self._dialog.set_response_sensitive
        set_sensitive(MEASURE, ready and self._way.is_usable)
        set_sensitive(Gtk.ResponseType.OK, ready and self._found is not None)


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
