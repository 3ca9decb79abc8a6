"""Parts of the server's window: the facts, the queue with its Cancel buttons, the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gi.repository import Gdk, Gtk

from .rows import elide, keep_from_wheel
from .sent_texts import translate_sent
from .server_state import ServerState, read_workers
from .translate import _, format_share

LONGEST_IDLE = 10080
"""Minutes, a week; the server's limit."""
MOST_JOBS = 6
KINDS = {
    "edit": _("Edit"), "mix": _("Mix"), "invert": _("Learn a face"), "find": _("Look for faces"),
    "regions": _("Look for regions"),
}  # fmt: skip


class Facts:
    """Version, devices with their memory, and when the server ends by itself."""

    def __init__(self, set_idle: Callable[[float], None]) -> None:
        self._set_idle = set_idle
        self._quiet = False
        self._worker, self._since = Gtk.Label(xalign=0.0), Gtk.Label(xalign=0.0)
        self._idle = Gtk.SpinButton.new_with_range(0, LONGEST_IDLE, 5)
        self._idle.get_accessible().set_name(_("Minutes until it stops"))
        self._idle.set_tooltip_text(_("0: the server stays until it is stopped"))
        keep_from_wheel(self._idle)
        self._idle.connect("value-changed", lambda _spin: self._changed())
        self.widget = Gtk.Grid(column_spacing=12, row_spacing=6)
        row = Gtk.Box(spacing=6)
        for part in (self._idle, Gtk.Label(label=_("minutes without use (0: never)"))):
            row.pack_start(part, False, False, 0)
        titles = (_("Worker"), _("Runs since"), _("Stops after"))
        parts: list[Gtk.Widget] = [self._worker, self._since, row]
        for number, (title, shown) in enumerate(zip(titles, parts, strict=True)):
            self.widget.attach(Gtk.Label(label=title, xalign=0.0), 0, number, 1, 1)
            self.widget.attach(shown, 1, number, 1, 1)

    def show(self, state: ServerState) -> None:
        """What is so now; the number is left alone while somebody types it."""
        workers = [_describe_worker(one) for one in read_workers(state.health) if one]
        self._worker.set_text("; ".join(workers) or _("none"))
        minutes = int(float(state.health.get("uptime_s") or 0) // 60)
        since = (
            _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
            if minutes >= 60
            else _("{minutes} min").format(minutes=minutes)
        )
        self._since.set_text(since if state.running and state.health else _("it does not run"))
        known = "idle_stop_minutes" in state.health
        self._idle.set_sensitive(known)
        if known and self._idle.get_text() == str(self._idle.get_value_as_int()):
            self._quiet = True
            self._idle.set_value(float(state.health["idle_stop_minutes"]))
            self._quiet = False

    def _changed(self) -> None:
        if not self._quiet:
            self._set_idle(self._idle.get_value())


def _describe_worker(worker: dict[str, Any]) -> str:
    words = [translate_sent(str(worker.get("state") or "unknown"), "state")]
    if worker.get("device"):
        words.append(_("on {device}").format(device=worker["device"]))
    if worker.get("memory_mb"):
        words.append(_("({megabytes} MB)").format(megabytes=worker["memory_mb"]))
    if worker.get("message"):
        words.append(translate_sent(str(worker["message"])))
    return " ".join(words)


class QueueView:
    """What runs and what waits; ``cancel`` is called with the id of a job."""

    def __init__(self, cancel: Callable[[str], None]) -> None:
        self._cancel = cancel
        self._shown: list[str] = []
        self._texts: dict[str, Gtk.Label] = {}
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self._title = Gtk.Label(label=_("Nothing waits and nothing runs."), xalign=0.0)
        self.widget.pack_start(self._title, False, False, 0)
        self.widget.pack_start(self._list, False, False, 0)

    def show(self, jobs: Sequence[dict[str, Any]]) -> None:
        """The rows stay where they are while only their progress changes."""
        names = [str(job["id"]) for job in jobs[:MOST_JOBS]]
        if names != self._shown:
            self._fill(names)
        for job in jobs[:MOST_JOBS]:
            self._texts[str(job["id"])].set_text(_describe_job(job))
        running = sum(job["state"] == "running" for job in jobs)
        title = _("Queue: {running} at work, {waiting} waiting").format(
            running=running, waiting=len(jobs) - running
        )
        self._title.set_text(title if jobs else _("Nothing waits and nothing runs."))

    def _fill(self, names: list[str]) -> None:
        for child in self._list.get_children():
            child.destroy()
        self._shown, self._texts = names, {}
        for name in names:
            text = Gtk.Label(xalign=0.0)
            elide(text, 60)
            button = Gtk.Button.new_with_mnemonic(_("Cancel"))
            button.get_accessible().set_name(_("Cancel the job"))
            button.connect("clicked", partial(self._press, name))
            row = Gtk.Box(spacing=8)
            row.pack_start(text, True, True, 0)
            row.pack_start(button, False, False, 0)
            self._texts[name] = text
            self._list.pack_start(row, False, False, 0)
        self._list.show_all()

    def _press(self, name: str, _button: Gtk.Button) -> None:
        self._cancel(name)


def _describe_job(job: dict[str, Any]) -> str:
    what = KINDS.get(str(job["kind"]), str(job["kind"]))
    if job["state"] == "queued":
        return _("{what}: waits").format(what=what)
    message = translate_sent(str(job.get("message") or "")) or _("at work")
    return f"{what}: {message}, {format_share(float(job.get('fraction') or 0))}"


class LogView:
    """The end of the log, and a button that copies it."""

    def __init__(self) -> None:
        self._text = Gtk.TextView()
        self._text.set_editable(False)
        self._text.set_monospace(True)
        self._text.get_accessible().set_name(_("Log"))
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        scrolled.add(self._text)
        copy = Gtk.Button.new_with_mnemonic(_("Copy _log"))
        copy.connect("clicked", lambda _button: self._copy())
        top = Gtk.Box(spacing=6)
        top.pack_start(Gtk.Label(label=_("Log"), xalign=0.0), True, True, 0)
        top.pack_start(copy, False, False, 0)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self.widget.pack_start(top, False, False, 0)
        self.widget.pack_start(scrolled, True, True, 0)
        self._shown = ""

    def show(self, log: str) -> None:
        """The end is in sight after each change."""
        if log == self._shown:
            return
        self._shown = log
        buffer = self._text.get_buffer()
        buffer.set_text(log, -1)
        self._text.scroll_to_iter(buffer.get_end_iter(), 0.0, False, 0.0, 1.0)

    def _copy(self) -> None:
        Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(self._shown, -1)
