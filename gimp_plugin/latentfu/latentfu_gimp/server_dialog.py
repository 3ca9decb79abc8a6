"""The window of ``Server...``: what runs, as it is now; start, stop, restart, and a report."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gi.repository import Gdk, GimpUi, GLib, Gtk

from . import finder
from .errors import PluginError, TokenLostError
from .server_state import describe_server
from .widgets import StatusLine, lay_out, on_main

START, STOP, RESTART, COPY = 1, 2, 3, 4
EVERY_MS = 1000


def show() -> str:
    """Let the user see and rule the server; its state at the end."""
    GimpUi.init("latentfu-server")
    dialog = GimpUi.Dialog(use_header_bar=False, title="Latent-Fu server", role="latentfu-server")
    GimpUi.window_set_transient(dialog)
    for label, response in (
        ("Co_py report", COPY),
        ("_Start", START),
        ("S_top", STOP),
        ("_Restart", RESTART),
        ("_Close", Gtk.ResponseType.CLOSE),
    ):
        dialog.add_button(label, response)
    line = StatusLine()
    lay_out(dialog, [], line)
    dialog.set_default_size(620, 130)
    dialog.show_all()
    window = _Window(dialog, line)
    try:
        return window.run()
    finally:
        window.close()
        dialog.destroy()


class _Window:
    """Looks at the server every second, in a thread, as long as it is open."""

    def __init__(self, dialog: Gtk.Dialog, line: StatusLine) -> None:
        self._dialog, self._line = dialog, line
        self._working = False
        self._looking = False
        self._closed = False
        self._said = "The Latent-Fu server is not running."

    def run(self) -> str:
        """Until it is closed; the last that was said."""
        self._look()
        GLib.timeout_add(EVERY_MS, self._look)
        while True:
            response = self._dialog.run()
            if response == START:
                self._do("Starting the Latent-Fu server ...", lambda: finder.connect().close())
            elif response == STOP:
                self._do("Stopping the Latent-Fu server ...", finder.stop)
            elif response == RESTART:
                self._do("Restarting the Latent-Fu server ...", finder.restart)
            elif response == COPY:
                report = finder.make_report(self._said)
                Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(report, -1)
            else:
                return self._said

    def close(self) -> None:
        """Nothing is shown any more."""
        self._closed = True

    def _look(self) -> bool:
        """Ask for the state; the next look comes by itself until the window is closed."""
        if not self._looking and not self._working and not self._closed:
            self._looking = True
            threading.Thread(target=self._ask, daemon=True).start()
        return not self._closed

    def _ask(self) -> None:
        try:
            running, sentence, lost = finder.find() is not None, describe_server(), False
        except TokenLostError as error:
            running, sentence, lost = True, str(error), True
        except PluginError as error:
            running, sentence, lost = False, str(error), True
        on_main(lambda: self._show(running, sentence, lost))

    def _show(self, running: bool, sentence: str, lost: bool) -> None:
        self._looking = False
        if self._closed or self._working:
            return
        self._said = sentence
        if lost:
            self._line.error(sentence)
        else:
            self._line.idle(sentence)
        self._set_sensitive(start=not running, stop=running)

    def _do(self, sentence: str, action: Callable[[], object]) -> None:
        """Run ``action`` in a thread; the next look shows what came of it."""
        self._working = True
        self._line.busy(0.3, sentence)
        self._set_sensitive(start=False, stop=False)

        def work() -> None:
            failed = ""
            try:
                action()
            except PluginError as error:
                failed = str(error)
            except Exception as error:
                failed = f"Latent-Fu met an error it does not know ({error})."
            on_main(lambda: self._done(failed))

        threading.Thread(target=work, daemon=True).start()

    def _done(self, failed: str) -> None:
        self._working = False
        if self._closed:
            return
        if failed:
            self._said = failed
            self._line.error(failed)
            self._set_sensitive(start=True, stop=True)
        else:
            self._look()

    def _set_sensitive(self, *, start: bool, stop: bool) -> None:
        self._dialog.set_response_sensitive(START, start)
        self._dialog.set_response_sensitive(STOP, stop)
        self._dialog.set_response_sensitive(RESTART, stop)
