"""A row for each control that the server lists, in groups, with a search above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gi.repository import GLib, Gtk

from .arguments import Edits
from .favorites import keep_favorite, read_favorites
from .rows import ControlFacts, NumberRow
from .sent_texts import translate_sent
from .translate import _
from .value_rows import PointRow, RowMaker, Surroundings, ValueRow
from .widgets import on_main

Row = NumberRow | ValueRow

# What people reach for first; groups that are not named here follow in the server's order.
FIRST_GROUPS = ("expression", "pose", "eyes", "mouth", "face", "hair", "extras", "light", "scene")


class _Section:
    """A group: its heading says how many of its controls change something."""

    def __init__(self, title: str) -> None:
        self.title = title[:1].upper() + title[1:]
        self.rows: dict[str, Row] = {}
        self.widget = Gtk.Expander(label=self.title, use_markup=True, expanded=True)
        self._box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        self._box.set_margin_start(12)
        self._box.set_margin_bottom(6)
        self.widget.add(self._box)

    def add(self, name: str, row: Row) -> None:
        self.rows[name] = row
        self._box.pack_start(row.widget, False, False, 0)

    def count(self) -> None:
        moved = sum(bool(row.value) for row in self.rows.values())
        heading = f"{self.title} ({moved})" if moved else self.title
        self.widget.set_label(f"<b>{GLib.markup_escape_text(heading)}</b>")


class Sliders:
    """``changed`` is called after each move, not by :meth:`set_all` and :meth:`show`.

    ``around``: what the rows of controls that are no sliders need of the window. ``pointed`` gets
    name and title of the control whose title is under the mouse, both empty when it leaves.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        around: Surroundings,
        pointed: Callable[[str, str], None] = lambda name, title: None,
    ) -> None:
        self._changed, self._pointed = changed, pointed
        self._controls: Sequence[ControlFacts] = ()
        self._maker = RowMaker(around, self._moved)
        self._sections: list[_Section] = []
        self._words: dict[str, str] = {}
        self._quiet = False
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self._list.set_border_width(8)
        self.search = Gtk.SearchEntry()
        self.search.set_placeholder_text(_("Search"))
        self.search.get_accessible().set_name(_("Search the controls"))
        self.search.connect("search-changed", lambda _entry: self._filter())
        self.search.connect("stop-search", lambda _entry: self.search.set_text(""))
        self.only_changed = Gtk.ToggleButton.new_with_mnemonic(_("Only c_hanged"))
        self.only_changed.set_tooltip_text(_("Show only what changes something"))
        self.only_changed.connect("toggled", lambda _button: self._filter())
        self._nothing = Gtk.Label(label=_("Nothing of that name."))
        self._nothing.set_no_show_all(True)
        self.widget = self._build()

    def _build(self) -> Gtk.Box:
        scrolled = self._scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        scrolled.set_overlay_scrolling(False)
        scrolled.set_size_request(500, 200)
        scrolled.add(self._list)
        top = self._top = Gtk.Box(spacing=6)
        top.pack_start(self.search, True, True, 0)
        top.pack_start(self.only_changed, False, False, 0)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        box.pack_start(top, False, False, 0)
        box.pack_start(scrolled, True, True, 0)
        return box

    def add_beside_search(self, widget: Gtk.Widget) -> None:
        """One more thing above the list."""
        self._top.pack_start(widget, False, False, 0)

    def show(self, controls: Sequence[ControlFacts]) -> None:
        """Replace the rows by those for ``controls``, all at 0; starred ones come first."""
        self._controls = controls
        self._forget_places()
        for child in self._list.get_children():
            if child is not self._nothing:
                child.destroy()
        self._sections, self._words = [], {}
        groups: dict[str, list[ControlFacts]] = {}
        starred = read_favorites()
        for control in controls:
            group = FAVORITES if control["name"] in starred else _group_of(control)
            groups.setdefault(group, []).append(control)
        if not groups:
            hint = Gtk.Label(label=_("This network has no controls yet."))
            self._list.pack_start(hint, True, True, 0)
        if self._nothing.get_parent() is None:
            self._list.pack_start(self._nothing, False, False, 0)
        for group, members in sorted(groups.items(), key=lambda item: rank_group(item[0])):
            section = _Section(_("Favorites") if group == FAVORITES else _name_group(group))
            for control in members:
                self._add(section, control, group == FAVORITES)
            section.count()
            self._sections.append(section)
            self._list.pack_start(section.widget, False, False, 0)
        self._list.show_all()
        self._filter()

    def _add(self, section: _Section, control: ControlFacts, starred: bool) -> None:
        name, title = str(control["name"]), str(control.get("title") or control["name"])
        title = translate_sent(title.replace("_", " "))
        if control.get("widget", "slider") == "slider":
            row: Row | None = self._make_slider(name, title, control)
        else:
            row = self._maker.make(title, control)
        if row is None:
            return
        row.widget.set_tooltip_text(_tip(control))
        row.title.connect("enter-notify-event", lambda *_: self._pointed(name, title))
        row.title.connect("leave-notify-event", lambda *_: self._pointed("", ""))
        star = _make_star(title, starred, lambda: self._star(name, not starred))
        row.widget.pack_start(star, False, False, 0)
        row.widget.reorder_child(star, 0)
        section.add(name, row)
        group = _group_of(control)
        shown = f"{_name_group(group)} {translate_sent(str(control.get('plus', '')))}"
        self._words[name] = f"{name} {title} {group} {control.get('plus', '')} {shown}".lower()

    def _star(self, name: str, starred: bool) -> None:
        """Among the favorites, or back in its group; nothing else moves."""
        keep_favorite(name, starred)
        edits, place = self.strengths(), self._scrolled.get_vadjustment().get_value()
        self.show(self._controls)
        self.set_all(edits)
        self._scrolled.get_vadjustment().set_value(place)

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest of each slider by name."""
        return {name: row.limits for name, row in self.rows.items() if isinstance(row, NumberRow)}

    def _make_slider(self, name: str, title: str, control: ControlFacts) -> NumberRow:
        low, high = float(control["minimum"]), float(control["maximum"])
        less, more = (translate_sent(str(end), name) for end in control.get("ends") or ("", ""))
        ends = (less or _("less"), more or _("more"))
        return NumberRow(title, (min(low, 0.0), max(high, 0.0)), self._moved, ends=ends)

    def _forget_places(self) -> None:
        """No row of before waits for a press on the preview or is marked there."""
        for row in self.rows.values():
            if isinstance(row, PointRow):
                row.leave()

    @property
    def rows(self) -> dict[str, Row]:
        """The rows by the names of their controls."""
        return {name: row for section in self._sections for name, row in section.rows.items()}

    def strengths(self) -> Edits:
        """What changes something: strengths that are not 0, and values."""
        return {name: row.value for name, row in self.rows.items() if row.value}

    def set_all(self, edits: Mapping[str, float | str]) -> None:
        """Set every control: to what ``edits`` say, else to 0 or unchanged."""
        self._quiet = True
        for name, row in self.rows.items():
            row.set(edits.get(name, 0.0))
        self._quiet = False
        self._tell()

    def focus(self) -> None:
        """Put the keyboard into the first row."""
        for row in self.rows.values():
            row.focus()
            return

    def _moved(self) -> None:
        if not self._quiet:
            self._tell()
            self._changed()

    def _tell(self) -> None:
        for section in self._sections:
            section.count()

    def _filter(self) -> None:
        """Show what is searched for; a slider that is moved back to 0 stays until the next time."""
        wanted = self.search.get_text().lower().split()
        some = False
        for section in self._sections:
            shown = False
            for name, row in section.rows.items():
                fits = all(word in self._words[name] for word in wanted)
                fits = fits and (bool(row.value) or not self.only_changed.get_active())
                row.widget.set_visible(fits)
                shown = shown or fits
            section.widget.set_visible(shown)
            some = some or shown
        self._nothing.set_visible(bool(self._sections) and not some)


FAVORITES = "*"
"""In place of a group's name: what the user has starred."""


def _group_of(control: ControlFacts) -> str:
    return str(control.get("group") or "other")


def _name_group(group: str) -> str:
    return translate_sent(group.replace("_", " "), "group")


def _make_star(title: str, starred: bool, toggle: Callable[[], None]) -> Gtk.Button:
    name = "starred-symbolic" if starred else "non-starred-symbolic"
    star = Gtk.Button.new_from_icon_name(name, Gtk.IconSize.MENU)
    star.set_relief(Gtk.ReliefStyle.NONE)
    text = _("{title} back to its group") if starred else _("{title} to the favorites")
    star.set_tooltip_text(text.format(title=title))
    star.get_accessible().set_name(text.format(title=title))
    star.connect("clicked", lambda _button: on_main(toggle))  # Its row goes with it.
    return star


def rank_group(group: str) -> int:
    """Where a group stands among the others."""
    name = group.lower()
    if name == FAVORITES:
        return -1
    return FIRST_GROUPS.index(name) if name in FIRST_GROUPS else len(FIRST_GROUPS)


def _tip(control: ControlFacts) -> str:
    plus, unit = (translate_sent(str(control.get(name) or "")) for name in ("plus", "unit"))
    lines = [
        f"+ {plus}" if plus else "",
        _("in {unit}").format(unit=unit) if unit else "",
    ]
    if control.get("kind") == "deformation":
        lines.append(_("Bends the network's own weights"))
    if control.get("author"):
        lines.append(_("Made by {author}").format(author=control["author"]))
    if control.get("licence"):
        lines.append(_("License: {license}").format(license=control["licence"]))
    return "\n".join(line for line in lines if line)
