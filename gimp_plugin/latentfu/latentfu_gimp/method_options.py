"""A line for the options of a method or a maker that was chosen by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import Gtk

from .arguments import Options, format_options, parse_options
from .errors import PluginError
from .translate import _


class MethodOptions:
    """``changed`` is called when other options are taken, ``refused`` with why some are not.

    They are taken when the line is left or Enter is pressed: each change finds the latent anew.
    ``spoken``: what a screen reader calls the line.
    """

    def __init__(
        self,
        names: Gtk.SizeGroup,
        changed: Callable[[], None],
        refused: Callable[[str], None],
        spoken: str = "",
    ) -> None:
        self._changed, self._refused = changed, refused
        self._known: Mapping[str, Any] = {}
        self._values: Options = {}
        self._method = ""
        self.entry = Gtk.Entry()
        self.entry.connect("activate", lambda _entry: self._take())
        self.entry.connect("focus-out-event", lambda *_: self._leave())
        label = Gtk.Label.new_with_mnemonic(_("Op_tions"))
        label.set_xalign(0.0)
        label.set_mnemonic_widget(self.entry)
        self.entry.get_accessible().set_name(spoken or _("Options of the method"))
        names.add_widget(label)
        self.widget = Gtk.Box(spacing=8)
        self.widget.pack_start(label, False, False, 0)
        self.widget.pack_start(self.entry, True, True, 0)
        self.widget.set_no_show_all(True)
        for child in self.widget.get_children():
            child.show()

    @property
    def values(self) -> Options:
        """What was taken, by name; the others are the method's own."""
        return self._values

    def set(self, values: Options) -> None:
        """Show options, such as those of an earlier edit."""
        self._values = values
        self.entry.set_text(format_options(values))

    def offer(self, inverters: Sequence[Mapping[str, Any]], method: str) -> None:
        """The line is there for a method with options; those of another method go."""
        found = [one for one in inverters if one["name"] == method]
        self._known = found[0].get("options") or {} if found else {}
        if method != self._method and not set(self._values) <= set(self._known):
            self.set({})
        self._method = method
        own = format_options(dict(self._known))
        self.entry.set_tooltip_text(_("The method's own: {options}").format(options=own))
        example = own.split(" ", maxsplit=1)[0]
        self.entry.set_placeholder_text(_("name=value, such as {example}").format(example=example))
        self.widget.set_visible(bool(self._known))

    def _leave(self) -> bool:
        self._take()
        return False

    def _take(self) -> None:
        try:
            values = parse_options(self.entry.get_text())
            unknown = [name for name in values if name not in self._known]
            if unknown:
                raise PluginError(
                    _("The method has no option {name}; it has: {known}.").format(
                        name=unknown[0], known=", ".join(sorted(self._known))
                    )
                )
        except PluginError as error:
            self._refused(str(error))
            return
        if values != self._values:
            self._values = values
            self._changed()
