"""A list of what can be taken over from a picture, to tick, with what became of each beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gi.repository import Gtk, Pango

from .rows import ControlFacts
from .sent_texts import translate_sent
from .sliders import rank_group
from .translate import _

SPACE = 18


def _can_be_taken(control: ControlFacts) -> bool:
    """Whether a control takes a picture, or is a direction that can be read off one."""
    widget = control.get("widget", "slider")
    direction = control.get("kind", "direction") == "direction"
    return bool(widget == "picture" or (widget == "slider" and direction))


class DirectionList:
    """``changed`` is called when one is ticked or no longer."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._boxes: dict[str, Gtk.CheckButton] = {}
        self._notes: dict[str, Gtk.Label] = {}
        self._words: dict[str, str] = {}
        self._rows: dict[str, Gtk.Widget] = {}
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        self._list.set_border_width(8)
        self.search = Gtk.SearchEntry()
        self.search.set_placeholder_text(_("Search"))
        self.search.get_accessible().set_name(_("Search the directions"))
        self.search.connect("search-changed", lambda _entry: self._filter())
        self.search.connect("stop-search", lambda _entry: self.search.set_text(""))
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        scrolled.set_overlay_scrolling(False)
        scrolled.set_size_request(-1, 130)
        scrolled.add(self._list)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.widget.pack_start(self.search, False, False, 0)
        self.widget.pack_start(scrolled, True, True, 0)

    def show(self, controls: Sequence[ControlFacts], chosen: Collection[str]) -> None:
        """Offer the directions among ``controls``, and those that take a picture.

        Those that are ``chosen`` are ticked.
        """
        for child in self._list.get_children():
            child.destroy()
        self._boxes, self._notes, self._rows, self._words = {}, {}, {}, {}
        found = [one for one in controls if _can_be_taken(one)]
        groups = {str(one.get("group") or "other"): None for one in found}
        ranks = {name: number for number, name in enumerate(sorted(groups, key=rank_group))}
        for one in sorted(found, key=lambda one: ranks[str(one.get("group") or "other")]):
            self._add(one, str(one["name"]) in chosen)
        if not found:
            self._list.pack_start(
                Gtk.Label(label=_("This network has no directions.")), True, True, 0
            )
        self._list.show_all()
        self._filter()

    def _add(self, control: ControlFacts, ticked: bool) -> None:
        name, title = str(control["name"]), str(control.get("title") or control["name"])
        title = translate_sent(title.replace("_", " "))
        box = Gtk.CheckButton.new_with_label(title)
        box.get_accessible().set_name(title)
        box.set_active(ticked)
        box.connect("toggled", lambda _box: self._changed())
        note = Gtk.Label(label="", xalign=1.0)
        note.set_ellipsize(Pango.EllipsizeMode.END)
        note.set_width_chars(SPACE)
        note.get_style_context().add_class("dim-label")
        row = Gtk.Box(spacing=6)
        row.pack_start(box, True, True, 0)
        row.pack_start(note, False, False, 0)
        self._list.pack_start(row, False, False, 0)
        self._boxes[name], self._notes[name], self._rows[name] = box, note, row
        self._words[name] = f"{name} {title} {control.get('group', '')}".lower()

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are ticked."""
        return tuple(name for name, box in self._boxes.items() if box.get_active())

    def tell(self, moves: Mapping[str, Mapping[str, Any]]) -> None:
        """Beside each how much of it the layer held, and holds now."""
        for name, note in self._notes.items():
            move = moves.get(name)
            note.set_text(_("{have:+.1f} to {goal:+.1f}").format(**move) if move else "")

    def _filter(self) -> None:
        wanted = self.search.get_text().lower().split()
        for name, row in self._rows.items():
            row.set_visible(all(word in self._words[name] for word in wanted))
