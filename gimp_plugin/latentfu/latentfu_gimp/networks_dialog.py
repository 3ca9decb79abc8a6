"""The window of ``Networks...``: what is installed, what can be had, and the plug-ins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from gi.repository import GLib, Gtk

from . import networks_state
from .errors import PluginError
from .help import add_help
from .networks_parts import NetworkRow, PluginRow, ask_agreement, ask_removal
from .networks_state import UNFINISHED, NetworkFacts, NetworksState
from .sent_texts import translate_sent
from .translate import _
from .widgets import StatusLine, lay_out, new_window, on_main
from .window_size import keep_size, restore_size

ROLE = "latentfu-networks"
EVERY_MS = 1000
Jobs = dict[str, dict[str, object]]


def show_networks() -> str:
    """Let the user see, install and remove networks; the last that was said."""
    window = NetworksWindow()
    try:
        return window.run()
    finally:
        window.close()


class NetworksWindow:
    """Lists once, and again after each change; downloads are looked at every second."""

    def __init__(self) -> None:
        self._closed = self._looking = self._working = False
        self._state = NetworksState()
        self._rows: list[NetworkRow] = []
        self._groups: list[tuple[Gtk.Widget, list[NetworkRow]]] = []
        self._wanted: dict[str, str] = {}
        """The installations begun here: jobs by the name of the network."""
        self._dialog = new_window(_("Latent-Fu networks"), ROLE)
        button = self._dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self._line = StatusLine()
        self._search = Gtk.SearchEntry()
        self._search.set_placeholder_text(_("Search networks"))
        self._search.get_accessible().set_name(_("Search networks"))
        self._search.connect("search-changed", lambda _entry: self._filter())
        self._networks = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self._plugins = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        lay_out(self._dialog, [self._pages()], self._line)
        add_help(self._dialog, button)
        restore_size(self._dialog, ROLE, 780, 600)

    def _pages(self) -> Gtk.Widget:
        first = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        first.pack_start(self._search, False, False, 0)
        self._scrolled = _make_scrolled(self._networks)
        first.pack_start(self._scrolled, True, True, 0)
        second = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        second.pack_start(_make_scrolled(self._plugins), True, True, 0)
        pages = Gtk.Notebook()
        for page in (first, second):
            page.set_border_width(8)
        pages.append_page(first, Gtk.Label.new_with_mnemonic(_("_Networks")))
        pages.append_page(second, Gtk.Label.new_with_mnemonic(_("_Plug-ins")))
        return pages

    def run(self) -> str:
        """Until it is closed; the last that was said."""
        self._dialog.show_all()
        self._do(_("Looking for networks ..."), lambda: "")
        GLib.timeout_add(EVERY_MS, self._look)
        while self._dialog.run() not in (Gtk.ResponseType.CLOSE, Gtk.ResponseType.DELETE_EVENT):
            pass
        return self._line.text

    def close(self) -> None:
        """Nothing is shown any more; downloads go on."""
        self._closed = True
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _look(self) -> bool:
        """Ask how far the downloads are; again by itself until the window is closed."""
        waited_for = any(job["state"] in UNFINISHED for job in self._state.jobs.values())
        if waited_for and not (self._looking or self._working or self._closed):
            self._looking = True
            threading.Thread(target=self._ask_jobs, daemon=True).start()
        return not self._closed

    def _ask_jobs(self) -> None:
        try:
            jobs = networks_state.read_installations()
        except PluginError:  # the next look, or what the user does next, says it
            jobs = self._state.jobs
        on_main(partial(self._show_jobs, jobs))

    def _show_jobs(self, jobs: dict[str, dict[str, object]]) -> None:
        self._looking = False
        if self._closed or self._working:
            return
        ended = [
            job for name, job in jobs.items()
            if job["state"] not in UNFINISHED and self._is_open(name)
        ]  # fmt: skip
        if ended:
            self._do(_("Looking for networks ..."), partial(_say_end, ended[0]))
            return
        self._state = NetworksState(self._state.networks, self._state.plugins, jobs)
        self._show_progress()

    def _is_open(self, job: str) -> bool:
        known = self._state.jobs.get(job)
        return known is not None and known["state"] in UNFINISHED

    def _show_progress(self) -> None:
        for row in self._rows:
            row.show(self._job_of(row.network))

    def _job_of(self, network: NetworkFacts) -> NetworkFacts | None:
        """What installs a network, or did a moment ago; an installed one may have the same name."""
        if network["kind"] not in ("bundle", "network"):
            return None
        job = self._wanted.get(str(network["name"])) or network.get("job")
        return self._state.jobs.get(str(job))

    def _is_coming(self, network: NetworkFacts) -> bool:
        job = self._job_of(network)
        return job is not None and job["state"] in UNFINISHED

    def _do(self, sentence: str, action: Callable[[], str]) -> None:
        """Run ``action`` in a thread, then list anew; its sentence is shown in the end."""
        self._working = True
        self._line.busy(0.3, sentence)
        for part in (self._networks, self._plugins):
            part.set_sensitive(False)

        def report(_fraction: float, message: str) -> None:
            on_main(lambda: None if self._closed else self._line.busy(0.3, message))

        def work() -> None:
            said, failed, state = "", "", None
            try:
                said = action()
            except PluginError as error:
                failed = str(error)
            except Exception as error:
                failed = _("Latent-Fu met an error it does not know ({error}).").format(error=error)
            try:
                state = networks_state.read_networks(report)
            except PluginError as error:
                failed = failed or str(error)
            on_main(lambda: self._done(state, said, failed))

        threading.Thread(target=work, daemon=True).start()

    def _done(self, state: NetworksState | None, said: str, failed: str) -> None:
        self._working = False
        if self._closed:
            return
        if state is not None:
            self._show(state)
        for part in (self._networks, self._plugins):
            part.set_sensitive(True)
        if failed or self._state.fault:
            self._line.error(failed or self._state.fault)
        else:
            self._line.idle(said or networks_state.count_waiting(self._state.jobs))

    def _show(self, state: NetworksState) -> None:
        self._state = state
        self._wanted = {
            name: job for name, job in self._wanted.items() if self._is_open(job)
        }  # fmt: skip
        place = self._scrolled.get_vadjustment().get_value()
        for box in (self._networks, self._plugins):
            for child in box.get_children():
                child.destroy()
        self._rows, self._groups = [], []
        coming = [one for one in state.networks if self._is_coming(one)]
        groups = (
            (_("Being installed"), coming),
            (_("Installed"), state.installed),
            (_("Can be had, with all that fits"), state.offered("bundle")),
            (_("Single networks, without directions"), state.offered("network")),
        )
        for title, networks in groups:
            others = [one for one in networks if networks is coming or one not in coming]
            self._add_group(title, others)
        for plugin in state.plugins:
            self._plugins.pack_start(PluginRow(plugin, self._switch).widget, False, False, 0)
        self._networks.show_all()
        self._plugins.show_all()
        self._show_progress()
        self._filter()
        # The list has its new height only after it was laid out.
        on_main(lambda: None if self._closed else self._scroll_to(0.0 if coming else place))

    def _scroll_to(self, place: float) -> None:
        self._scrolled.get_vadjustment().set_value(place)

    def _add_group(self, title: str, networks: Sequence[NetworkFacts]) -> None:
        if not networks:
            return
        acts = {
            "install": self._install,
            "pause": self._pause,
            "remove": self._remove,
            "default": self._choose_default,
        }
        rows = [NetworkRow(one, acts) for one in networks]
        group = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        head = Gtk.Label(xalign=0.0)
        head.set_markup(f"<b>{GLib.markup_escape_text(title)}</b>")
        group.pack_start(head, False, False, 4)
        for row in rows:
            group.pack_start(row.widget, False, False, 0)
        self._networks.pack_start(group, False, False, 0)
        self._rows += rows
        self._groups.append((group, rows))

    def _filter(self) -> None:
        """Only what has all words of the search; a group without any row is hidden."""
        words = self._search.get_text().lower().split()
        for row in self._rows:
            told = " ".join(str(row.network[key]) for key in ("name", "title", "domain")).lower()
            row.widget.set_visible(all(word in told for word in words))
        for group, rows in self._groups:
            group.set_visible(any(row.widget.get_visible() for row in rows))

    def _install(self, network: NetworkFacts) -> None:
        if not network["is_agreed"] and not ask_agreement(self._dialog, network):
            return
        name = str(network["name"])

        def begin() -> str:
            self._wanted[name] = networks_state.begin_installation(name, True)
            return ""

        self._do(_("Asking for {name} ...").format(name=name), begin)

    def _pause(self, network: NetworkFacts) -> None:
        name = str(network["name"])
        job = str(self._wanted.get(name) or network.get("job") or "")

        def pause() -> str:
            networks_state.pause_installation(job)
            return _("Paused: what has come of {name} is kept.").format(name=name)

        self._do(_("Pausing {name} ...").format(name=name), pause)

    def _remove(self, network: NetworkFacts) -> None:
        if ask_removal(self._dialog, network):
            name = str(network["name"])
            sentence = _("Removing {name} ...").format(name=name)
            self._do(sentence, partial(networks_state.take_away_network, name))

    def _choose_default(self, network: NetworkFacts) -> None:
        generator = str(network["generator"])
        sentence = _("Setting the default ...")
        self._do(sentence, partial(networks_state.choose_default, generator))

    def _switch(self, name: str, enabled: bool) -> None:
        sentence = _("Switching {name} ...").format(name=name)
        self._do(sentence, partial(networks_state.use_plugin, name, enabled))


def _say_end(job: NetworkFacts) -> str:
    """What came of an installation; PluginError where it failed."""
    if job["state"] == "failed":
        message = (job.get("error") or {}).get("message")
        raise PluginError(translate_sent(message) or _("The installation failed."))
    return translate_sent((job.get("report") or {}).get("message"))


def _make_scrolled(widget: Gtk.Box) -> Gtk.ScrolledWindow:
    scrolled = Gtk.ScrolledWindow()
    scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
    scrolled.set_shadow_type(Gtk.ShadowType.IN)
    widget.set_border_width(6)
    scrolled.add(widget)
    return scrolled
