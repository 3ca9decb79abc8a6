"""The window of ``Settings of plug-ins...``: a row for each, kept as soon as it is changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from gi.repository import GLib, Gtk

from .errors import PluginError
from .help import add_help
from .plugin_settings import SettingFacts, change_setting, list_settings
from .setting_rows import SettingRow
from .translate import _
from .widgets import StatusLine, lay_out, new_window, on_main
from .window_size import keep_size, restore_size
from .worker import Worker

ROLE = "latentfu-settings"
LONGEST_WAIT = 5.0
"""Seconds that the window stays for the last change to be sent."""
Value = bool | float | str
T = TypeVar("T")


def show_settings() -> None:
    """Let the user see and change settings until the window is closed."""
    window = SettingsWindow()
    try:
        window.run()
    finally:
        window.close()


class SettingsWindow:
    """Requests are made one after the other in a thread of their own."""

    def __init__(self) -> None:
        self._closed = False
        self._worker = Worker()
        self._rows: dict[tuple[str, str], SettingRow] = {}
        self._settings: dict[tuple[str, str], SettingFacts] = {}
        self._dialog = new_window(_("Settings of plug-ins"), ROLE)
        button = self._dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self._line = StatusLine()
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._list.set_border_width(8)
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_size_request(420, 260)
        scrolled.add(self._list)
        lay_out(self._dialog, [scrolled], self._line)
        add_help(self._dialog, button)
        restore_size(self._dialog, ROLE, 560, 460)

    def run(self) -> None:
        """Until it is closed."""
        self._dialog.show_all()
        self._line.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._ask(list_settings, self._fill)
        self._dialog.run()
        for row in self._rows.values():
            row.stop()

    def close(self) -> None:
        """Take it away; what was chosen last is still sent."""
        self._closed, sent = True, threading.Event()
        self._worker.add(sent.set)
        sent.wait(LONGEST_WAIT)
        self._worker.stop(lambda: None)
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _fill(self, settings: list[SettingFacts]) -> None:
        plugin = ""
        for setting in settings:
            if setting["plugin"] != plugin:
                plugin = str(setting["plugin"])
                heading = Gtk.Label(xalign=0.0)
                heading.set_markup(f"<b>{GLib.markup_escape_text(plugin)}</b>")
                self._list.pack_start(heading, False, False, 0)
            key = (plugin, str(setting["name"]))
            row = SettingRow(setting, partial(self._change, key), partial(self._change, key, ""))
            self._rows[key], self._settings[key] = row, setting
            self._list.pack_start(row.widget, False, False, 0)
        self._list.show_all()
        nothing = _("No installed plug-in has settings.")
        self._line.idle(_("A change counts at once.") if settings else nothing)

    def _change(self, key: tuple[str, str], value: Value) -> None:
        self._ask(partial(change_setting, *key, value), partial(self._took, key), key)

    def _took(self, key: tuple[str, str], setting: SettingFacts) -> None:
        self._settings[key] = setting
        self._rows[key].show(setting)
        self._line.idle(_("{title} is kept.").format(title=self._rows[key].title))

    def _ask(
        self, question: Callable[[], T], done: Callable[[T], None], key: tuple[str, str] = ("", "")
    ) -> None:
        def task() -> None:
            try:
                told = question()
            except PluginError as error:
                sentence = str(error)
                on_main(lambda: self._failed(key, sentence))
            except Exception as error:
                text = _("Latent-Fu met an error it does not know ({error}).").format(
                    error=f"{type(error).__name__}: {error}"
                )
                on_main(lambda: self._failed(key, text))
            else:
                on_main(lambda: None if self._closed else done(told))

        self._worker.add(task)

    def _failed(self, key: tuple[str, str], sentence: str) -> None:
        if self._closed:
            return
        if key in self._rows:  # What is kept is shown again.
            self._rows[key].show(self._settings[key])
        self._line.error(sentence)
