"""The window that chooses the server: this machine, or another one with a token of one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gi.repository import Gtk

from . import remote
from .client import RefusedError, ServerClient
from .errors import PluginError
from .translate import _
from .widgets import StatusLine, lay_out, new_window, on_main

ROLE = "latentfu-choose-server"
EXAMPLE = "https://studio.lan:7860"


class ServerChoice:
    """Asks, tries the server, has its fingerprint compared, and keeps the choice in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dialog = new_window(_("Choose the Latent-Fu server"), ROLE)
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("_Use"), Gtk.ResponseType.OK)
        self._dialog.set_default_response(Gtk.ResponseType.OK)
        self._here = Gtk.RadioButton.new_with_mnemonic(None, _("_This machine"))
        self._other = Gtk.RadioButton.new_with_mnemonic_from_widget(
            self._here, _("_Another machine, to which pictures are sent")
        )
        self._url, self._token = Gtk.Entry(), Gtk.Entry()
        self._line = StatusLine()
        self._kept = self._read()
        lay_out(self._dialog, [self._make_body()], self._line)
        self._other.connect("toggled", lambda _button: self._follow())
        self._follow()

    def _read(self) -> remote.RemoteServer | None:
        try:
            return remote.read_chosen(self._folder)
        except PluginError:
            return None

    def _make_body(self) -> Gtk.Widget:
        grid = Gtk.Grid(column_spacing=12, row_spacing=6)
        grid.set_margin_start(24)
        self._url.set_placeholder_text(EXAMPLE)
        self._token.set_visibility(False)
        self._token.set_input_purpose(Gtk.InputPurpose.PASSWORD)
        rows = ((_("A_ddress"), self._url), (_("T_oken"), self._token))
        for number, (title, entry) in enumerate(rows):
            entry.set_hexpand(True)
            entry.set_width_chars(36)
            entry.set_activates_default(True)
            label = Gtk.Label.new_with_mnemonic(title)
            label.set_xalign(0.0)
            label.set_mnemonic_widget(entry)
            entry.get_accessible().set_name(title.replace("_", ""))
            grid.attach(label, 0, number, 1, 1)
            grid.attach(entry, 1, number, 1, 1)
        if self._kept is not None:
            self._other.set_active(True)
            self._url.set_text(self._kept.url)
            self._token.set_text(self._kept.token)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for part in (self._here, self._other, grid):
            box.pack_start(part, False, False, 0)
        return box

    def _follow(self) -> None:
        for entry in (self._url, self._token):
            entry.set_sensitive(self._other.get_active())

    def run(self) -> bool:
        """Until a choice was kept, or the window is closed; whether one was kept."""
        self._dialog.show_all()
        while self._dialog.run() == Gtk.ResponseType.OK:
            try:
                if self._choose():
                    return True
            except PluginError as error:
                self._line.error(str(error))
        return False

    def close(self) -> None:
        """Away with the window."""
        self._dialog.destroy()

    def _choose(self) -> bool:
        if self._here.get_active():
            remote.keep_chosen(self._folder, None)
            return True
        server = replace(
            remote.parse_url(self._url.get_text()), token=self._token.get_text().strip()
        )
        if not server.token:
            raise PluginError(_("Give the token that the server's administrator gave you."))
        self._line.busy(0.3, _("Asking the server ..."))
        shown = self._wait_for(lambda: remote.find_fingerprint(server))
        trusted = self._kept is not None and (self._kept.url, self._kept.fingerprint)
        is_new = bool(shown) and trusted != (server.url, shown)
        if is_new and not self._is_the_one(server, shown):
            self._line.idle(_("Nothing was sent to {url}.").format(url=server.url))
            return False
        server = replace(server, fingerprint=shown)
        self._wait_for(lambda: _try_token(server))
        remote.keep_chosen(self._folder, server)
        return True

    def _wait_for(self, ask: Callable[[], str]) -> str:
        """What ``ask`` gives, in a thread while the window stays alive; raises PluginError."""
        done: list[str] = []
        failed: list[PluginError] = []

        def work() -> None:
            try:
                done.append(ask())
            except PluginError as error:
                failed.append(error)
            on_main(Gtk.main_quit)

        self._dialog.set_sensitive(False)
        threading.Thread(target=work, daemon=True).start()
        Gtk.main()
        self._dialog.set_sensitive(True)
        if failed:
            raise failed[0]
        return done[0] if done else ""

    def _is_the_one(self, server: remote.RemoteServer, fingerprint: str) -> bool:
        dialog = Gtk.MessageDialog(
            transient_for=self._dialog,
            modal=True,
            message_type=Gtk.MessageType.QUESTION,
            text=_("Is this the fingerprint that the server's administrator gave you?"),
            secondary_text=_("No authority vouches for the certificate of {url}.").format(
                url=server.url
            )
            + f"\n\n{remote.show_digits(fingerprint)}",
        )
        dialog.add_button(_("_No"), Gtk.ResponseType.CANCEL)
        dialog.add_button(_("_Yes, trust it"), Gtk.ResponseType.OK)
        dialog.set_default_response(Gtk.ResponseType.CANCEL)
        answer = dialog.run()
        dialog.destroy()
        return bool(answer == Gtk.ResponseType.OK)


def _try_token(server: remote.RemoteServer) -> str:
    """The version of the server, if it lets us in; raises PluginError."""
    with ServerClient(
        server.host, server.port, server.token, timeout=remote.SHORT, remote=server
    ) as client:
        try:
            return str(client.get("/v1/health").get("version", ""))
        except RefusedError as error:
            if error.status != 401:
                raise
            raise PluginError(
                _("The server does not take this token: ask its administrator for a new one.")
            ) from error
