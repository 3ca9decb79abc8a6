"""The window of ``Server...``: what runs, as it is now; queue, log, start, stop, and a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from gi.repository import Gdk, Gio, GLib, Gtk

from . import finder, server_state
from .errors import PluginError
from .help import add_help
from .server_choice import ServerChoice
from .server_parts import Facts, LogView, QueueView
from .server_state import ServerState
from .translate import _
from .widgets import StatusLine, lay_out, new_window, on_main
from .window_size import keep_size, restore_size

ROLE = "latentfu-server"
START, STOP, RESTART, COPY, FOLDER, CHOOSE = 1, 2, 3, 4, 5, 6
EVERY_MS = 1000


def show() -> str:
    """Let the user see and rule the server; its state at the end."""
    window = ServerWindow()
    try:
        return window.run()
    finally:
        window.close()


class ServerWindow:
    """Looks at the server every second, in a thread, as long as it is open."""

    def __init__(self) -> None:
        self._working = self._looking = self._closed = False
        self._state = ServerState(_("The Latent-Fu server is not running."))
        self._dialog = new_window(_("Latent-Fu server"), ROLE)
        for label, response in (
            (_("_Start"), START),
            (_("S_top"), STOP),
            (_("_Restart"), RESTART),
            (_("C_hoose..."), CHOOSE),
            (_("Open _folder"), FOLDER),
            (_("Cop_y report"), COPY),
            (_("_Close"), Gtk.ResponseType.CLOSE),
        ):
            button = self._dialog.add_button(label, response)
        self._line = StatusLine()
        self._facts = Facts(self._set_idle)
        self._queue = QueueView(self._cancel)
        self._log = LogView()
        lay_out(self._dialog, [self._stack()], self._line)
        add_help(self._dialog, button)
        restore_size(self._dialog, ROLE, 760, 560)

    def _stack(self) -> Gtk.Widget:
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        box.pack_start(self._facts.widget, False, False, 0)
        box.pack_start(self._queue.widget, False, False, 0)
        box.pack_start(self._log.widget, True, True, 0)
        return box

    def run(self) -> str:
        """Until it is closed; the last that was said."""
        self._dialog.show_all()
        self._set_sensitive(start=False, stop=False)
        self._look()
        GLib.timeout_add(EVERY_MS, self._look)
        while True:
            response = self._dialog.run()
            if response == START:
                self._do(_("Starting the Latent-Fu server ..."), lambda: finder.connect().close())
            elif response == STOP:
                self._do(_("Stopping the Latent-Fu server ..."), finder.stop)
            elif response == RESTART:
                self._do(_("Restarting the Latent-Fu server ..."), finder.restart)
            elif response == COPY:
                report = server_state.make_report(self._state)
                Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(report, -1)
                self._line.idle(_("The report is in the clipboard: it holds no token."))
            elif response == FOLDER:
                self._open_folder()
            elif response == CHOOSE:
                self._choose()
            else:
                return self._state.sentence

    def close(self) -> None:
        """Nothing is shown any more."""
        self._closed = True
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _look(self) -> bool:
        """Ask for the state; the next look comes by itself until the window is closed."""
        if not self._looking and not self._working and not self._closed:
            self._looking = True
            threading.Thread(target=self._ask, daemon=True).start()
        return not self._closed

    def _ask(self) -> None:
        state = server_state.look()
        log = "" if state.is_remote else server_state.read_log()
        on_main(lambda: self._show(state, log))

    def _show(self, state: ServerState, log: str) -> None:
        self._looking = False
        if self._closed or self._working:
            return
        changed = state.sentence != self._state.sentence
        self._state = state
        self._facts.show(state)
        self._queue.show(state.jobs)
        self._log.show(log)
        if state.lost:
            self._line.error(state.sentence)
        elif changed or not self._line.text:
            self._line.idle(state.sentence)
        is_here = not state.is_remote
        self._set_sensitive(start=is_here and not state.running, stop=is_here and state.running)

    def _cancel(self, job: str) -> None:
        self._do(_("Cancelling ..."), partial(server_state.end_job, job))

    def _set_idle(self, minutes: float) -> None:
        self._do(_("Setting the time ..."), partial(server_state.set_idle_minutes, minutes))

    def _choose(self) -> None:
        """This machine's server, or one of another."""
        choice = ServerChoice(finder.config_folder())
        try:
            if choice.run():
                self._line.idle("")
        finally:
            choice.close()

    def _open_folder(self) -> None:
        folder = server_state.data_folder()
        try:
            Gio.AppInfo.launch_default_for_uri(folder.as_uri(), None)
        except GLib.Error:
            self._line.error(
                _("No program shows folders here: open {folder} by hand.").format(folder=folder)
            )

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
                failed = _("Latent-Fu met an error it does not know ({error}).").format(
                    error=f"{type(error).__name__}: {error}"
                )
            on_main(lambda: self._done(failed))

        threading.Thread(target=work, daemon=True).start()

    def _done(self, failed: str) -> None:
        self._working = False
        if self._closed:
            return
        if failed:
            self._line.error(failed)
            self._set_sensitive(start=True, stop=True)
        else:
            self._line.idle("")
            self._look()

    def _set_sensitive(self, *, start: bool, stop: bool) -> None:
        self._dialog.set_response_sensitive(START, start)
        for response in (STOP, RESTART):
            self._dialog.set_response_sensitive(response, stop)
