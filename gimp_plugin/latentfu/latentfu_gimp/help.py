"""Help: F1, the button and the menu entry open the page that was installed with the plug-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gi.repository import Gio, GLib, Gtk

from .errors import PluginError
from .translate import _

PAGE = Path(__file__).parent / "pages" / "help.html"
_F1 = 0xFFBE
"""Gdk.KEY_F1."""


def open_help() -> None:
    """Show the page in the user's browser; raises PluginError."""
    try:
        Gio.AppInfo.launch_default_for_uri(PAGE.as_uri(), None)
    except GLib.Error as error:
        raise PluginError(
            _("No program shows pages here: open {page} in a browser.").format(page=PAGE)
        ) from error


def add_help(dialog: Gtk.Dialog, beside: Gtk.Widget) -> None:
    """F1, and a Help button at the other end of the row with the button ``beside``."""
    button = Gtk.Button.new_with_mnemonic(_("H_elp"))  # Not add_button: that would end the dialog.
    button.set_tooltip_text(_("Opens the page of this plug-in in your browser"))
    button.connect("clicked", lambda _button: _show(dialog))
    row = beside.get_parent()
    row.pack_start(button, False, True, 0)
    row.set_child_secondary(button, True)
    dialog.connect("key-press-event", lambda _dialog, event: _press(dialog, event))


def _press(dialog: Gtk.Dialog, event: Any) -> bool:
    if event.keyval == _F1:
        _show(dialog)
        return True
    return False


def _show(dialog: Gtk.Dialog) -> None:
    try:
        open_help()
    except PluginError as error:
        message = Gtk.MessageDialog(
            transient_for=dialog, modal=True, message_type=Gtk.MessageType.INFO, text=str(error)
        )
        message.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        message.run()
        message.destroy()
