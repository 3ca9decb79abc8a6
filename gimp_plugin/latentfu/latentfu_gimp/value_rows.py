"""Rows for controls that are no sliders: a check, a choice, a color, a point, a picture, a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gi.repository import Gdk, Gimp, Gtk, Pango

from .arguments import LAYER, is_layer, is_picture
from .errors import PluginError
from .exemplars import PictureReader
from .preview import PreviewPane
from .rows import TITLE_CHARS, ControlFacts, elide, hold_label, keep_from_wheel
from .translate import _


class Surroundings:
    """What rows need of the window that they are in.

    ``preview``: where places are shown, None where the rows are for several layers: then no
    control takes a place. ``show_error``: says a sentence in the window.
    """

    def __init__(
        self,
        reader: PictureReader,
        preview: PreviewPane | None,
        show_error: Callable[[str], None],
    ) -> None:
        self.reader, self.preview, self.show_error = reader, preview, show_error


class ValueRow(ABC):
    """Title, what the control is set with, the way back. ``changed``: called after each move."""

    def __init__(self, title: str, changed: Callable[[], None]) -> None:
        self._changed, self._title = changed, title
        self.label = Gtk.Label(label=title, xalign=0.0)
        elide(self.label, TITLE_CHARS)
        self.reset = Gtk.Button.new_from_icon_name("edit-undo-symbolic", Gtk.IconSize.MENU)
        self.reset.set_relief(Gtk.ReliefStyle.NONE)
        self.reset.set_tooltip_text(_("{title} is left as it is").format(title=title))
        self.reset.get_accessible().set_name(_("Reset {title}").format(title=title))
        self.reset.connect("clicked", lambda _button: self.set(""))
        self.widget = Gtk.Box(spacing=6)
        self.title = hold_label(self.label)
        self.widget.pack_start(self.title, False, False, 0)

    def _finish(self, first: Gtk.Widget, *parts: Gtk.Widget, wide: bool = True) -> None:
        """Put in what the control is set with; ``first`` gets the keyboard and the title."""
        self._first = first
        self.label.set_mnemonic_widget(first)
        first.get_accessible().set_name(self._title)
        for part in (first, *parts):
            self.widget.pack_start(part, wide, wide, 0)
        if not wide:
            self.widget.pack_start(Gtk.Label(), True, True, 0)
        self.widget.pack_start(self.reset, False, False, 0)
        self._show_reset()

    @property
    @abstractmethod
    def value(self) -> str:
        """What is shown, empty for nothing."""

    @abstractmethod
    def _show(self, value: str) -> None:
        """Show a value; one that cannot be is none."""

    def set(self, value: float | str) -> None:
        """Show ``value``; empty or a number: nothing."""
        before = self.value
        self._show(value if isinstance(value, str) else "")
        self._show_reset()
        if self.value != before:
            self._changed()

    def focus(self) -> None:
        """Put the keyboard into it."""
        self._first.grab_focus()

    def _moved(self) -> None:
        self._show_reset()
        self._changed()

    def _show_reset(self) -> None:
        self.reset.set_sensitive(bool(self.value))
        self.reset.set_opacity(1.0 if self.value else 0.0)


class CheckRow(ValueRow):
    """On or off."""

    def __init__(self, title: str, changed: Callable[[], None]) -> None:
        super().__init__(title, changed)
        self.check = Gtk.CheckButton()
        self._quiet = False
        self.check.connect("toggled", lambda _check: None if self._quiet else self._moved())
        self._finish(self.check, wide=False)

    @property
    def value(self) -> str:
        return "on" if self.check.get_active() else ""

    def _show(self, value: str) -> None:
        self._quiet = True
        self.check.set_active(value.lower() in {"on", "true", "yes"})
        self._quiet = False


class ChoiceRow(ValueRow):
    """One of some names, or none of them."""

    def __init__(self, title: str, changed: Callable[[], None], choices: list[str]) -> None:
        super().__init__(title, changed)
        self.list = make_list()
        self.list.append("", _("unchanged"))
        for choice in choices:
            self.list.append(choice, choice)
        self.list.set_active(0)
        self._quiet = False
        self.list.connect("changed", lambda _list: None if self._quiet else self._moved())
        self._finish(self.list)

    @property
    def value(self) -> str:
        return self.list.get_active_id() or ""

    def _show(self, value: str) -> None:
        self._quiet = True
        if not self.list.set_active_id(value):
            self.list.set_active(0)
        self._quiet = False


class ColorRow(ValueRow):
    """A color, or none chosen."""

    def __init__(self, title: str, changed: Callable[[], None]) -> None:
        super().__init__(title, changed)
        self._value = ""
        self.color = Gtk.ColorButton()
        self.color.set_title(title)
        self._word = Gtk.Label(label=_("unchanged"))
        self._word.get_style_context().add_class("dim-label")
        self.color.connect("color-set", lambda _color: self._take())
        self._finish(self.color, self._word, wide=False)
        self._show("")

    @property
    def value(self) -> str:
        return self._value

    def _take(self) -> None:
        chosen = self.color.get_rgba()
        parts = (round(255 * part) for part in (chosen.red, chosen.green, chosen.blue))
        self._show("#{:02x}{:02x}{:02x}".format(*parts))
        self._moved()

    def _show(self, value: str) -> None:
        color = Gdk.RGBA()
        self._value = value if value.startswith("#") and color.parse(value) else ""
        if not self._value:
            color.parse("#808080")
        self.color.set_rgba(color)
        self._word.set_text(self._value or _("unchanged"))


class PointRow(ValueRow):
    """A place in the layer: two numbers, or a press on the preview, which can be dragged."""

    def __init__(self, title: str, changed: Callable[[], None], preview: PreviewPane) -> None:
        super().__init__(title, changed)
        self._preview, self._quiet = preview, False
        self.numbers = [
            Gtk.SpinButton.new_with_range(-1, max(1, side - 1), 1) for side in preview.layer_size
        ]
        for number in self.numbers:
            keep_from_wheel(number)
            number.set_width_chars(5)
            number.set_tooltip_text(_("In pixels of the layer; -1 for nowhere"))
            number.connect("value-changed", lambda _number: self._typed())
        self.pick = Gtk.ToggleButton.new_with_label(_("Pick"))
        self.pick.set_tooltip_text(
            _("Then press on the preview where it shall be; it can be dragged")
        )
        self.pick.connect("toggled", lambda _button: self._pick())
        self._finish(*self.numbers, self.pick)
        names = (_("{title}, across"), _("{title}, down"), _("Pick {title} on the preview"))
        for widget, name in zip((*self.numbers, self.pick), names, strict=True):
            widget.get_accessible().set_name(name.format(title=title))
        self._show("")
        self._show_reset()

    @property
    def value(self) -> str:
        x, y = (number.get_value_as_int() for number in self.numbers)
        return f"{x},{y}" if x >= 0 and y >= 0 else ""

    def _show(self, value: str) -> None:
        try:
            x, y = (float(part) for part in value.split(","))
        except ValueError:
            x = y = -1.0
        self._quiet = True
        for number, part in zip(self.numbers, (x, y), strict=True):
            number.set_value(part)
        self._quiet = False
        self._mark()

    def _mark(self) -> None:
        x, y = (number.get_value() for number in self.numbers)
        self._preview.mark_place(self._title, (x, y) if self.value else None)

    def leave(self) -> None:
        """The row goes away, and with it what it has left on the preview."""
        self.pick.set_active(False)
        self._preview.mark_place(self._title, None)

    def _typed(self) -> None:
        if not self._quiet:
            self._mark()
            self._moved()

    def _pick(self) -> None:
        if self.pick.get_active():
            self._preview.pick_place(self._take, lambda: self.pick.set_active(False))
        else:
            self._preview.stop_picking()

    def _take(self, x: float, y: float) -> None:
        """The mouse shows a place; the button comes up when it lets go."""
        self._show(f"{x:.0f},{y:.0f}")
        self._moved()


FILE = "file"


class PictureRow(ValueRow):
    """A layer of the image or a picture file."""

    def __init__(self, title: str, changed: Callable[[], None], around: Surroundings) -> None:
        super().__init__(title, changed)
        self._reader, self._around = around.reader, around
        self._value, self._quiet = "", True
        self.list = make_list()
        self.list.connect("notify::popup-shown", lambda *_: self._list_again())
        self.list.connect("changed", lambda _list: None if self._quiet else self._take())
        self._finish(self.list)
        self._show("")

    @property
    def value(self) -> str:
        return self._value

    def _list_again(self) -> None:
        """Offer the layers that there are now."""
        if not self.list.get_property("popup-shown"):
            self._show(self._value)

    def _show(self, value: str) -> None:
        self._quiet = True
        self._value = self._check_readable(value) if is_picture(value) else ""
        self.list.remove_all()
        self.list.append("", _("unchanged"))
        if self._value and not is_layer(self._value):
            self.list.append(self._value, Path(self._value[1:]).name)
        for layer in list_layers(self._reader.image.get_layers()):
            self.list.append(f"{LAYER}{layer.get_name()}", layer.get_name())
        self.list.append(FILE, _("A picture file ..."))
        if not self.list.set_active_id(self._value):
            self._value = ""
            self.list.set_active(0)
        self._quiet = False

    def _check_readable(self, value: str) -> str:
        """``value``; empty, and told, where there is no such picture."""
        try:
            self._reader.read(value)
        except PluginError as error:
            self._around.show_error(str(error))
            return ""
        return value

    def _take(self) -> None:
        chosen = self.list.get_active_id() or ""
        chosen = self._ask_file() if chosen == FILE else chosen
        before = self._value
        self._reader.forget(chosen)
        self._show(chosen)
        if self._value != before or is_layer(chosen):  # The same layer may look otherwise now.
            self._moved()

    def _ask_file(self) -> str:
        dialog = Gtk.FileChooserDialog(
            title=self._title,
            transient_for=self.widget.get_toplevel(),
            action=Gtk.FileChooserAction.OPEN,
        )
        dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        dialog.add_button(_("_Open"), Gtk.ResponseType.OK)
        chosen = dialog.get_filename() if dialog.run() == Gtk.ResponseType.OK else None
        dialog.destroy()
        return f"@{chosen}" if chosen else self._value


class TextRow(ValueRow):
    """A text of one line."""

    def __init__(self, title: str, changed: Callable[[], None]) -> None:
        super().__init__(title, changed)
        self.entry = Gtk.Entry()
        self.entry.set_max_length(LONGEST_TEXT)
        self._quiet = False
        self.entry.connect("changed", lambda _entry: None if self._quiet else self._moved())
        self._finish(self.entry)

    @property
    def value(self) -> str:
        text = self.entry.get_text().strip()
        return f"@{text}" if text.startswith("@") else text

    def _show(self, value: str) -> None:
        self._quiet = True
        self.entry.set_text(value.removeprefix("@"))
        self._quiet = False


LONGEST_TEXT = 1000


@dataclass(frozen=True)
class RowMaker:
    """Makes the row that a control's widget asks for."""

    around: Surroundings
    changed: Callable[[], None]

    def make(self, title: str, control: ControlFacts) -> ValueRow | None:
        """The row; None for a kind that this version does not know."""
        plain: dict[object, Callable[[str, Callable[[], None]], ValueRow]]
        plain = {"check": CheckRow, "color": ColorRow, "text": TextRow}
        widget, preview = control.get("widget"), self.around.preview
        if widget in plain:
            return plain[widget](title, self.changed)
        if widget == "choice":
            return ChoiceRow(title, self.changed, [str(one) for one in control["choices"]])
        if widget == "picture":
            return PictureRow(title, self.changed, self.around)
        return PointRow(title, self.changed, preview) if widget == "point" and preview else None


def make_list() -> Gtk.ComboBoxText:
    """A list that a long name does not widen, and the wheel does not change."""
    made = Gtk.ComboBoxText()
    keep_from_wheel(made)
    for cell in made.get_cells():
        cell.set_property("ellipsize", Pango.EllipsizeMode.END)
        cell.set_property("width-chars", 12)
        cell.set_property("max-width-chars", 30)
    return made


def list_layers(layers: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    """The layers and those in groups; groups have no pixels of their own."""
    found: list[Gimp.Layer] = []
    for layer in layers:
        found += list_layers(layer.get_children()) if layer.is_group() else [layer]
    return found
