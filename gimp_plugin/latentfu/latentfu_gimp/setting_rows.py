"""A row for one setting of a plug-in: title, what it is set with, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import Gdk, GLib, Gtk

from .plugin_settings import SettingFacts
from .rows import NumberRow, elide, keep_from_wheel
from .sent_texts import translate_sent
from .translate import _
from .value_rows import make_list

TITLE_CHARS = 22
PAUSE_MS = 300
"""A slider that still moves is not yet sent."""
LARGEST = 1e9
Parts = tuple[Gtk.Widget, Callable[[], bool | float | str], Callable[[Any], object]]
"""The widget that gets the keyboard, what reads it, and what writes it."""


class SettingRow:
    """``changed`` gets what was chosen, ``reset`` is called when the default is wanted."""

    def __init__(
        self,
        setting: SettingFacts,
        changed: Callable[[bool | float | str], None],
        reset: Callable[[], None],
    ) -> None:
        self._changed, self._quiet, self._timer = changed, False, 0
        self.title = translate_sent(str(setting["title"]))
        self.kind = str(setting["widget"])
        label = Gtk.Label(label=self.title, xalign=0.0)
        elide(label, TITLE_CHARS)
        self._outer: Gtk.Widget
        self._whole = isinstance(setting["default"], int)
        self._part, self._read, self._write = self._make(setting)
        label.set_mnemonic_widget(self._part)
        self._part.get_accessible().set_name(self.title)
        self.reset = Gtk.Button.new_from_icon_name("edit-undo-symbolic", Gtk.IconSize.MENU)
        self.reset.set_relief(Gtk.ReliefStyle.NONE)
        self.reset.get_accessible().set_name(_("Reset {title}").format(title=self.title))
        self.reset.set_tooltip_text(_("{title} back to its default").format(title=self.title))
        self.reset.connect("clicked", lambda _button: reset())
        self.widget = Gtk.Box(spacing=6)
        self.widget.pack_start(label, False, False, 0)
        self.widget.pack_start(self._outer, True, True, 0)
        self.widget.pack_start(self.reset, False, False, 0)
        self.widget.set_tooltip_text(translate_sent(str(setting["help"])) or None)
        self.show(setting)

    def show(self, setting: SettingFacts) -> None:
        """The setting as it is now."""
        self._quiet = True
        if self.kind != "secret":
            self._write(setting["value"])
        elif isinstance(self._part, Gtk.Entry):
            self._part.set_text("")
            self._part.set_placeholder_text(_("is set") if setting["is_set"] else _("is not set"))
        self._quiet = False
        self.reset.set_sensitive(bool(setting["is_set"]))
        self.reset.set_opacity(1.0 if setting["is_set"] else 0.0)

    def send(self) -> None:
        """Tell what is chosen."""
        if not self._quiet:
            self._changed(self._read())

    def _send_soon(self) -> None:
        if self._quiet:
            return
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(PAUSE_MS, self._send_now)

    def _send_now(self) -> bool:
        self._timer = 0
        self.send()
        return False

    def stop(self) -> None:
        """What still waits is sent at once."""
        if self._timer:
            GLib.source_remove(self._timer)
            self._send_now()

    def _make(self, setting: SettingFacts) -> Parts:
        makers: dict[str, Callable[[SettingFacts], Parts]] = {
            "check": self._make_check,
            "choice": self._make_choice,
            "slider": self._make_slider,
            "number": self._make_number,
            "color": self._make_color,
            "path": self._make_path,
        }
        return makers.get(self.kind, self._make_text)(setting)

    def _make_check(self, _setting: SettingFacts) -> Parts:
        self._outer = check = Gtk.CheckButton()
        check.connect("toggled", lambda _check: self.send())
        return check, check.get_active, check.set_active

    def _make_choice(self, setting: SettingFacts) -> Parts:
        self._outer = made = make_list()
        for choice in setting["choices"]:
            made.append(choice, choice)
        made.connect("changed", lambda _list: self.send())
        return made, lambda: made.get_active_id() or "", made.set_active_id

    def _make_slider(self, setting: SettingFacts) -> Parts:
        limits = (float(setting["minimum"]), float(setting["maximum"]))
        digits = 0 if self._whole else 2
        row = NumberRow(
            self.title, limits, self._send_soon, digits=digits, neutral=None,
            value=float(setting["value"]),
        )  # fmt: skip
        row.label.set_no_show_all(True)
        self._outer = row.widget
        return row.number, lambda: self._number(row.value), row.set

    def _make_number(self, setting: SettingFacts) -> Parts:
        low, high = setting["minimum"], setting["maximum"]
        self._outer = number = Gtk.SpinButton.new_with_range(
            -LARGEST if low is None else low, LARGEST if high is None else high, 1
        )
        number.set_digits(0 if self._whole else 3)
        keep_from_wheel(number)
        number.connect("value-changed", lambda _number: self._send_soon())
        return number, lambda: self._number(number.get_value()), number.set_value

    def _number(self, value: float) -> float | int:
        return round(value) if self._whole else value

    def _make_color(self, _setting: SettingFacts) -> Parts:
        self._outer = button = Gtk.ColorButton()
        button.set_title(self.title)
        button.connect("color-set", lambda _button: self.send())

        def write(value: str) -> None:
            color = Gdk.RGBA()
            if color.parse(value):
                button.set_rgba(color)

        def read() -> str:
            color = button.get_rgba()
            parts = (round(255 * part) for part in (color.red, color.green, color.blue))
            return "#{:02x}{:02x}{:02x}".format(*parts)

        return button, read, write

    def _make_text(self, _setting: SettingFacts) -> Parts:
        self._outer = entry = Gtk.Entry()
        entry.set_visibility(self.kind != "secret")
        entry.connect("activate", lambda _entry: self._send_text())
        entry.connect("focus-out-event", lambda *_: self._send_text())
        self._written = ""

        def write(value: str) -> None:
            self._written = value
            entry.set_text(value)

        return entry, entry.get_text, write

    def _send_text(self) -> bool:
        """When the keyboard leaves it, or at Enter, if it says something else."""
        if self._read() != self._written:
            self._written = "" if self.kind == "secret" else str(self._read())
            self.send()
        return False

    def _make_path(self, setting: SettingFacts) -> Parts:
        _part, read, write = self._make_text(setting)
        entry = self._outer
        assert isinstance(entry, Gtk.Entry)
        button = Gtk.Button.new_from_icon_name("document-open-symbolic", Gtk.IconSize.MENU)
        button.get_accessible().set_name(_("Choose {title}").format(title=self.title))
        button.connect("clicked", lambda _button: self._ask_path(entry))
        self._outer = box = Gtk.Box(spacing=6)
        box.pack_start(entry, True, True, 0)
        box.pack_start(button, False, False, 0)
        return entry, read, write

    def _ask_path(self, entry: Gtk.Entry) -> None:
        dialog = Gtk.FileChooserDialog(
            title=self.title,
            transient_for=entry.get_toplevel(),
            action=Gtk.FileChooserAction.OPEN,
        )
        dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        dialog.add_button(_("_Open"), Gtk.ResponseType.OK)
        chosen = dialog.get_filename() if dialog.run() == Gtk.ResponseType.OK else None
        dialog.destroy()
        if chosen:
            entry.set_text(chosen)
            self._send_text()
