"""Small parts that the dialogs share: the line at the bottom, choices, the frame of a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import Gdk, GimpUi, GLib, Gtk, Pango

from .arguments import LARGEST_FEATHER
from .help import add_help
from .rows import NumberRow, keep_from_wheel
from .server_state import ServerState, make_report
from .translate import _

TWO_LINES = 40
LONG = 150
"""From so many letters on a sentence is shown as a hint too."""


class StatusLine:
    """A bar and a sentence below; errors are shown with a sign.

    ``with_report``: beside an error is a button that copies what helps to find its cause.
    """

    def __init__(self, *, with_report: bool = False) -> None:
        self._with_report = with_report
        self.holds_error = False
        self._bar = Gtk.ProgressBar()
        self._icon = Gtk.Image()
        self._text = Gtk.Label(xalign=0.0)
        self._text.set_line_wrap(True)
        self._text.set_line_wrap_mode(Pango.WrapMode.WORD_CHAR)
        self._text.set_max_width_chars(60)
        self._text.set_yalign(0.0)
        self._text.set_lines(3)
        self._text.set_ellipsize(Pango.EllipsizeMode.END)
        line = Gtk.Box(spacing=6)
        line.set_size_request(-1, TWO_LINES)  # A warning does not push the rest of the window up.
        line.pack_start(self._icon, False, False, 0)
        line.pack_start(self._text, True, True, 0)
        report = self._make_report_button()
        if with_report:
            line.pack_start(report, False, False, 0)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self.widget.pack_start(self._bar, False, False, 0)
        self.widget.pack_start(line, False, False, 0)

    def _make_report_button(self) -> Gtk.Button:
        self._report = Gtk.Button.new_with_mnemonic(_("Cop_y report"))
        self._report.set_tooltip_text(
            _("What helps to find the cause goes into the clipboard, without secrets")
        )
        self._report.set_no_show_all(True)
        self._report.connect("clicked", lambda _button: self._copy_report())
        return self._report

    def _copy_report(self) -> None:
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        clipboard.set_text(make_report(ServerState(self.text)), -1)
        clipboard.store()  # This process may be gone when it is pasted.
        said = _("The report is in the clipboard: it holds no token.")
        self._say(f"{self.text} {said}", "dialog-warning")

    def busy(self, fraction: float, sentence: str) -> None:
        """Work is going on."""
        self._bar.set_fraction(min(max(fraction, 0.0), 1.0))
        if sentence:
            self._say(sentence, "")

    def idle(self, sentence: str) -> None:
        """Nothing is going on."""
        self._bar.set_fraction(0.0)
        self._say(sentence, "")

    def warn(self, sentence: str) -> None:
        """Nothing is going on, but something is to be heeded."""
        self._bar.set_fraction(0.0)
        self._say(sentence, "dialog-warning")

    def error(self, sentence: str) -> None:
        """Something went wrong."""
        self._bar.set_fraction(0.0)
        self._say(sentence, "dialog-warning")
        self.holds_error = True
        self._report.set_visible(self._with_report)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.get_text()

    def _say(self, sentence: str, icon: str) -> None:
        self.holds_error = False
        self._text.set_text(sentence)
        self._text.set_tooltip_text(sentence if len(sentence) > LONG else None)
        self._icon.set_from_icon_name(icon, Gtk.IconSize.BUTTON)
        self._icon.set_visible(bool(icon))
        self._report.set_visible(False)


class Choice:
    """A labelled list of named things; hidden while there is only one."""

    def __init__(self, label: str, names: Gtk.SizeGroup, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._quiet = False
        self._list = Gtk.ComboBoxText()
        keep_from_wheel(self._list)
        for cell in self._list.get_cells():  # A long name does not widen the window.
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
            cell.set_property("max-width-chars", 30)
            cell.set_property("width-chars", 12)
        self._list.connect("changed", lambda _list: self._choose())
        name = Gtk.Label.new_with_mnemonic(label)
        name.set_xalign(0.0)
        names.add_widget(name)
        name.set_mnemonic_widget(self._list)
        self.widget = Gtk.Box(spacing=8)
        self.widget.pack_start(name, False, False, 0)
        self.widget.pack_start(self._list, True, True, 0)
        self.widget.set_no_show_all(True)

    def _choose(self) -> None:
        self._list.set_tooltip_text(self._list.get_active_text())  # A long one is cut.
        if not self._quiet:
            self._changed()

    def show(self, things: Sequence[Mapping[str, Any]], chosen: str) -> None:
        """Offer ``things`` (name, title); the default is the first."""
        self._quiet = True
        self._list.remove_all()
        for thing in things:
            self._list.append(str(thing["name"]), str(thing.get("title") or thing["name"]))
        if not self._list.set_active_id(chosen):
            self._list.set_active(0)
        for child in self.widget.get_children():
            child.show()
        self.widget.set_visible(len(things) > 1)
        self._quiet = False

    def choose(self, name: str) -> None:
        """Show ``name`` as chosen, without telling."""
        self._quiet = True
        self._list.set_active_id(name)
        self._quiet = False

    @property
    def name(self) -> str:
        """The chosen name, "" when there is none yet."""
        return self._list.get_active_id() or ""


class NumberChoice:
    """A labelled whole number."""

    def __init__(
        self,
        label: str,
        names: Gtk.SizeGroup,
        limits: tuple[int, int],
        changed: Callable[[], None],
    ) -> None:
        self._number = Gtk.SpinButton.new_with_range(*limits, 1)
        keep_from_wheel(self._number)
        self._number.connect("value-changed", lambda _number: changed())
        name = Gtk.Label.new_with_mnemonic(label)
        name.set_xalign(0.0)
        names.add_widget(name)
        name.set_mnemonic_widget(self._number)
        self._number.get_accessible().set_name(label.replace("_", ""))
        self.widget = Gtk.Box(spacing=8)
        self.widget.pack_start(name, False, False, 0)
        self.widget.pack_start(self._number, False, False, 0)

    def set(self, value: int) -> None:
        """Show another number."""
        self._number.set_value(value)

    @property
    def value(self) -> int:
        """The number that is shown."""
        return self._number.get_value_as_int()


def make_hint(text: str, width: int = 60) -> Gtk.Label:
    """Lines of up to so many letters that explain, less strong than the rest."""
    hint = Gtk.Label(label=text, xalign=0.0)
    hint.set_line_wrap(True)
    hint.set_max_width_chars(width)
    hint.get_style_context().add_class("dim-label")
    return hint


def feather_row(value: float, longest: int, changed: Callable[[], None]) -> NumberRow:
    """The width of the soft border in a layer whose longest side is ``longest``."""
    limits = (0.0, min(LARGEST_FEATHER, max(60.0, longest / 20)))
    value = min(max(value, 0.0), LARGEST_FEATHER)
    row = NumberRow(_("Soft bor_der"), limits, changed, digits=1, neutral=None, value=value)
    row.widget.set_tooltip_text(
        _("Pixels over which the change fades out at the selection's border")
    )
    return row


def new_window(title: str, role: str) -> Gtk.Dialog:
    """An empty dialog in front of GIMP's window."""
    GimpUi.init(role)
    _narrow_numbers()
    dialog = GimpUi.Dialog(use_header_bar=False, title=title, role=role)
    GimpUi.window_set_transient(dialog)
    return dialog


def new_dialog(title: str, role: str) -> Gtk.Dialog:
    """The same with Help, Cancel and Apply."""
    dialog = new_window(title, role)
    cancel = dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_Apply"), Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
    add_help(dialog, cancel)
    return dialog


_NARROW = b"spinbutton button { min-width: 18px; padding: 0 1px; }"


def _narrow_numbers() -> None:
    """Small buttons in numbers of this process: the room goes to the sliders."""
    style, screen = Gtk.CssProvider(), Gdk.Screen.get_default()
    style.load_from_data(_NARROW)
    if screen is not None:
        Gtk.StyleContext.add_provider_for_screen(screen, style, _OVER_THEME)


_OVER_THEME = 800
"""Gtk.STYLE_PROVIDER_PRIORITY_USER."""


def lay_out(dialog: Gtk.Dialog, columns: Sequence[Gtk.Widget], status: StatusLine) -> None:
    """Columns side by side, which grow with the window, above the status line."""
    box = dialog.get_content_area()
    box.set_border_width(12)
    box.set_spacing(10)
    if columns:
        row = Gtk.Box(spacing=12)
        for column in columns:
            row.pack_start(column, True, True, 0)
        box.pack_start(row, True, True, 0)
    box.pack_start(status.widget, not columns, True, 0)


def on_main(call: Callable[[], None]) -> None:
    """Run ``call`` in the main thread; to be called from any thread."""

    def once() -> bool:
        call()
        return False  # Not again.

    GLib.idle_add(once)
