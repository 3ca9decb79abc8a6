"""Parts of the window of networks: a row for each, and the questions before something is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gtk, Pango

from .networks_state import (
    UNFINISHED,
    NetworkFacts,
    describe_contents,
    describe_network,
    describe_plugin,
    describe_progress,
    list_terms,
    say_check,
    say_size,
)
from .sent_texts import translate_sent
from .translate import _

Act = Callable[[NetworkFacts], None]


class NetworkRow:
    """One network: what it is, and the buttons that fit how it is now.

    ``acts``: what install, pause, remove and default do.
    """

    def __init__(self, network: NetworkFacts, acts: Mapping[str, Act]) -> None:
        self.network = network
        self._acts = acts
        self._bar = Gtk.ProgressBar()
        self._bar.set_show_text(True)
        self._bar.set_no_show_all(True)
        self._bar.get_accessible().set_name(_("Progress of {name}").format(name=network["name"]))
        self._buttons = Gtk.Box(spacing=6)
        self._buttons.set_valign(Gtk.Align.CENTER)
        self.widget = Gtk.Box(spacing=12)
        self.widget.set_border_width(6)
        text = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        title = long_label(translate_sent(str(network["title"])))
        facts = long_label(describe_network(network))
        facts.get_style_context().add_class("dim-label")
        for part in (title, facts, self._bar):
            text.pack_start(part, False, False, 0)
        self.widget.pack_start(text, True, True, 0)
        self.widget.pack_start(self._buttons, False, False, 0)
        self._pausing = False

    def show(self, job: NetworkFacts | None) -> None:
        """As it is now: ``job`` installs it, None where nothing does."""
        pausing = job is not None and job["state"] in UNFINISHED
        if pausing != self._pausing or not self._buttons.get_children():
            self._pausing = pausing
            self._fill(pausing)
        self._bar.set_visible(pausing)
        if job is not None and pausing:
            self._bar.set_fraction(float(job.get("fraction") or 0.0))
            self._bar.set_text(describe_progress(job))

    def _fill(self, pausing: bool) -> None:
        for child in self._buttons.get_children():
            child.destroy()
        one = self.network
        if pausing:
            self._add(_("Pa_use"), "pause")
        elif one["is_installed"]:
            if one["is_default"]:
                self._buttons.pack_start(Gtk.Label(label=_("Default")), False, False, 0)
            else:
                self._add(_("Set as _default"), "default")
            if one["is_removable"]:
                self._add(_("Re_move..."), "remove")
        else:
            begun = one["kept_bytes"] > 0
            self._add(_("_Resume") if begun else _("_Install..."), "install")
            if begun or one["installed_bytes"]:
                self._add(_("Re_move..."), "remove")
        self._buttons.show_all()

    def _add(self, label: str, act: str) -> None:
        plain = label.replace("_", "")  # The same key in each row would be of no row.
        button = Gtk.Button.new_with_label(plain)
        said = plain.rstrip(".")
        button.get_accessible().set_name(f"{said} {self.network['name']}")
        button.connect("clicked", lambda _button: self._acts[act](self.network))
        self._buttons.pack_start(button, False, False, 0)


class PluginRow:
    """One plug-in with its switch; ``switch`` is called with its name and whether it is on."""

    def __init__(self, plugin: NetworkFacts, switch: Callable[[str, bool], None]) -> None:
        name = str(plugin["name"])
        text = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        facts = long_label(describe_plugin(plugin))
        facts.set_line_wrap(True)
        facts.set_ellipsize(Pango.EllipsizeMode.NONE)
        facts.get_style_context().add_class("dim-label")
        title = Gtk.Box(spacing=6)
        title.pack_start(long_label(name), False, False, 0)
        if plugin["state"] == "quarantined":
            icon = Gtk.Image.new_from_icon_name("dialog-warning", Gtk.IconSize.MENU)
            title.pack_start(icon, False, False, 0)
        text.pack_start(title, False, False, 0)
        text.pack_start(facts, False, False, 0)
        self._switch = Gtk.Switch()
        self._switch.set_active(plugin["state"] != "disabled")
        self._switch.set_valign(Gtk.Align.CENTER)
        self._switch.get_accessible().set_name(_("Use {name}").format(name=name))
        self._switch.connect("notify::active", lambda one, _state: switch(name, one.get_active()))
        self.widget = Gtk.Box(spacing=12)
        self.widget.set_border_width(6)
        self.widget.pack_start(text, True, True, 0)
        self.widget.pack_start(self._switch, False, False, 0)


def long_label(text: str) -> Gtk.Label:
    """A line that is elided where there is no room, and whole as a hint."""
    label = Gtk.Label(label=text, xalign=0.0)
    label.set_ellipsize(Pango.EllipsizeMode.END)
    label.set_max_width_chars(60)
    label.set_tooltip_text(text)
    return label


def ask_agreement(parent: Gtk.Window, network: NetworkFacts) -> bool:
    """Show the terms; whether the person agrees to them."""
    size = say_size(network["size"])
    if size:
        fetched = _("{size} will be fetched.").format(size=size)
    else:
        fetched = _("How much will be fetched is not stated.")
    title = _("Install {title}?").format(title=network["title"])
    told = [fetched, describe_contents(network), say_check(network)]
    dialog = _question(parent, title, " ".join(filter(None, told)))
    area = dialog.get_message_area()
    for line, page in list_terms(network):
        area.pack_start(_terms_line(line, page), False, False, 0)
    agree = Gtk.CheckButton.new_with_mnemonic(_("I _agree to these terms"))
    area.pack_start(agree, False, False, 6)
    area.show_all()
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_Install"), Gtk.ResponseType.OK)
    dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
    agree.connect(
        "toggled",
        lambda button: dialog.set_response_sensitive(Gtk.ResponseType.OK, button.get_active()),
    )
    return _answer(dialog)


def _terms_line(line: str, page: str) -> Gtk.Widget:
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
    label = Gtk.Label(label=line, xalign=0.0)
    label.set_line_wrap(True)
    label.set_max_width_chars(60)
    box.pack_start(label, False, False, 0)
    if page:
        link = Gtk.LinkButton.new_with_label(page, page)
        link.set_halign(Gtk.Align.START)
        box.pack_start(link, False, False, 0)
    return box


def ask_removal(parent: Gtk.Window, network: NetworkFacts) -> bool:
    """Whether the person wants a network gone, or what came of it."""
    held = network["installed_bytes"] + network["kept_bytes"]
    size = say_size(held)
    freed = _("{size} will be free.").format(size=size) if size else ""
    kept = _("What you made for it stays, and fits again when it is installed again.")
    dialog = _question(
        parent, _("Remove {title}?").format(title=network["title"]), f"{freed} {kept}".strip()
    )
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_Remove"), Gtk.ResponseType.OK)
    return _answer(dialog)


def _question(parent: Gtk.Window, text: str, more: str) -> Gtk.MessageDialog:
    return Gtk.MessageDialog(
        transient_for=parent,
        modal=True,
        message_type=Gtk.MessageType.QUESTION,
        text=text,
        secondary_text=more,
    )


def _answer(dialog: Gtk.MessageDialog) -> bool:
    answer: Any = dialog.run()
    dialog.destroy()
    return bool(answer == Gtk.ResponseType.OK)
