"""Sliders for the controls that the server lists, under a heading for each group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import GimpUi, Gtk

Control = Mapping[str, Any]
# What people reach for first; groups that are not named here follow in the server's order.
FIRST_GROUPS = ("expression", "pose", "eyes", "mouth", "face", "hair", "extras", "light", "scene")


class Sliders:
    """``changed`` is called after each move, not by :meth:`set_all` and :meth:`show`."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._entries: dict[str, GimpUi.ScaleEntry] = {}
        self._quiet = False
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self._list.set_border_width(8)
        self.widget = Gtk.ScrolledWindow()
        self.widget.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        self.widget.set_shadow_type(Gtk.ShadowType.IN)
        self.widget.set_overlay_scrolling(False)
        self.widget.set_size_request(440, 380)
        self.widget.add(self._list)

    def show(self, controls: Sequence[Control]) -> None:
        """Replace the sliders by those for ``controls``, all at 0."""
        self._entries.clear()
        for child in self._list.get_children():
            child.destroy()
        labels = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        groups: dict[str, list[Control]] = {}
        for control in controls:
            groups.setdefault(str(control.get("group") or "other"), []).append(control)
        if not groups:
            hint = Gtk.Label(label="This network has no controls yet.")
            self._list.pack_start(hint, True, True, 0)
        for group, members in sorted(groups.items(), key=_rank):
            self._list.pack_start(self._section(group, members, labels), False, False, 0)
        self._list.show_all()

    def _section(self, group: str, members: list[Control], labels: Gtk.SizeGroup) -> Gtk.Widget:
        title = group.replace("_", " ").capitalize()
        section = Gtk.Expander(label=f"<b>{_escape(title)}</b>", use_markup=True, expanded=True)
        rows = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        rows.set_margin_start(12)
        rows.set_margin_bottom(6)
        for control in members:
            rows.pack_start(self._row(control, labels), False, False, 0)
        section.add(rows)
        return section

    def _row(self, control: Control, labels: Gtk.SizeGroup) -> Gtk.Widget:
        low, high = float(control["minimum"]), float(control["maximum"])
        title = str(control.get("title") or control["name"])
        entry = GimpUi.ScaleEntry.new(title, 0.0, min(low, 0.0), max(high, 0.0), 2)
        entry.set_increments(0.1, 0.5)
        scale = entry.get_range()
        scale.set_size_request(190, -1)
        scale.set_hexpand(True)
        scale.add_mark(0.0, Gtk.PositionType.BOTTOM, None)
        scale.connect("scroll-event", _leave_to_list)
        label = entry.get_label()
        label.set_xalign(0.0)
        labels.add_widget(label)
        entry.set_tooltip_text(_tip(control))
        entry.connect("value-changed", lambda _entry: self._moved())
        self._entries[str(control["name"])] = entry
        return entry

    def strengths(self) -> dict[str, float]:
        """The strengths that are not 0."""
        values = {name: round(entry.get_value(), 4) for name, entry in self._entries.items()}
        return {name: value for name, value in values.items() if value}

    def set_all(self, edits: Mapping[str, float]) -> None:
        """Move every slider: to its strength in ``edits``, else to 0."""
        self._quiet = True
        for name, entry in self._entries.items():
            entry.set_value(edits.get(name, 0.0))
        self._quiet = False

    def focus(self) -> None:
        """Put the keyboard into the first slider's number."""
        for entry in self._entries.values():
            entry.get_spin_button().grab_focus()
            return

    def _moved(self) -> None:
        if not self._quiet:
            self._changed()


def _rank(group: tuple[str, Any]) -> int:
    name = group[0].lower()
    return FIRST_GROUPS.index(name) if name in FIRST_GROUPS else len(FIRST_GROUPS)


def _leave_to_list(scale: Gtk.Widget, _event: Any) -> bool:
    """The wheel scrolls the list instead of moving the slider under the mouse by accident."""
    scale.stop_emission_by_name("scroll-event")
    return False


def _tip(control: Control) -> str:
    lines = [f"+ {control['plus']}" if control.get("plus") else "", f"in {control.get('unit', '')}"]
    if control.get("kind") == "deformation":
        lines.append("Bends the network's own weights")
    if control.get("author"):
        lines.append(f"Made by {control['author']}")
    if control.get("licence"):
        lines.append(f"Licence: {control['licence']}")
    return "\n".join(line for line in lines if line.strip() not in ("", "in"))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
