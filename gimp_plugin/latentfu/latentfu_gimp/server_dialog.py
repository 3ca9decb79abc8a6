"""The window of ``Server...``: whether it runs, start and stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gi.repository import GimpUi, Gtk

from . import finder
from .errors import PluginError
from .procedures.server import describe_server
from .widgets import StatusLine, lay_out, on_main

START, STOP = 1, 2


def show() -> str:
    """Let the user see, start and stop the server; its state at the end."""
    GimpUi.init("latentfu-server")
    dialog = GimpUi.Dialog(use_header_bar=False, title="Latent-Fu server", role="latentfu-server")
    GimpUi.window_set_transient(dialog)
    dialog.add_button("_Start", START)
    dialog.add_button("S_top", STOP)
    dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
    line = StatusLine()
    lay_out(dialog, [], line)
    dialog.set_default_size(560, 120)
    dialog.show_all()
    window = _Window(dialog, line)
    window.refresh()
    while True:
        response = dialog.run()
        if response == START:
            window.do("Starting the Latent-Fu server ...", lambda: finder.connect().close())
        elif response == STOP:
            window.do("Stopping the Latent-Fu server ...", finder.stop)
        else:
            break
    dialog.destroy()
    return describe_server()


class _Window:
    def __init__(self, dialog: Gtk.Dialog, line: StatusLine) -> None:
        self._dialog, self._line = dialog, line

    def do(self, sentence: str, action: Callable[[], object]) -> None:
        """Run ``action`` in a thread, then show the state."""
        self._line.busy(0.3, sentence)
        self._dialog.set_response_sensitive(START, False)
        self._dialog.set_response_sensitive(STOP, False)

        def work() -> None:
            try:
                action()
            except PluginError as error:
                text = str(error)
                on_main(lambda: self._failed(text))
            except Exception as error:
                text = f"Latent-Fu met an error it does not know ({error})."
                on_main(lambda: self._failed(text))
            else:
                on_main(self.refresh)

        threading.Thread(target=work, daemon=True).start()

    def refresh(self) -> None:
        """Show whether it runs."""
        try:
            running = finder.find() is not None
            self._line.idle(describe_server())
        except PluginError as error:
            self._failed(str(error))
            return
        self._dialog.set_response_sensitive(START, not running)
        self._dialog.set_response_sensitive(STOP, running)

    def _failed(self, sentence: str) -> None:
        self._line.error(sentence)
        self._dialog.set_response_sensitive(START, True)
        self._dialog.set_response_sensitive(STOP, True)
