"""The button with presets, with the edits applied last, and with those by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from gi.repository import Gtk

from .arguments import Edits
from .errors import PluginError
from .past_edits import list_past_edits
from .presets import SliderPreset, list_presets, load_preset, presets_folder, save_preset
from .random_edits import choose_gently
from .translate import _


class PresetMenu:
    """``read`` gives the network's name and what the sliders say; ``take`` moves them.

    ``limits``: the lowest and the highest of each slider by name.
    """

    def __init__(
        self,
        read: Callable[[], tuple[str, Edits]],
        take: Callable[[SliderPreset], None],
        limits: Callable[[], Mapping[str, tuple[float, float]]],
        failed: Callable[[str], None],
    ) -> None:
        self._read, self._take, self._limits, self._failed = read, take, limits, failed
        self.widget = Gtk.MenuButton.new()
        self.widget.set_label(_("_Presets"))
        self.widget.set_use_underline(True)
        self.widget.set_tooltip_text(_("Strengths kept under a name, applied last, or at random"))
        self._menu = Gtk.Menu()
        self._menu.connect("show", lambda _menu: self.fill())
        self.widget.set_popup(self._menu)

    def fill(self) -> None:
        """Offer what is there now; those of another network cannot be taken."""
        for child in self._menu.get_children():
            child.destroy()
        generator, edits = self._read()
        for preset in list_presets():
            item = self._add(preset.name, partial(self._take, preset))
            item.set_sensitive(preset.generator == generator)
        self._menu.append(Gtk.SeparatorMenuItem())
        self._add_past(generator)
        self._add(_("At _random, gently"), self._take_random).set_sensitive(bool(self._limits()))
        self._menu.append(Gtk.SeparatorMenuItem())
        self._add(_("_Save as ..."), self._save).set_sensitive(bool(edits))
        self._add(_("_Open a file ..."), self._open)
        self._menu.show_all()

    def _add_past(self, generator: str) -> None:
        """The edits that were applied last, in a menu of their own."""
        item = Gtk.MenuItem.new_with_mnemonic(_("_Applied last"))
        past = [one for one in list_past_edits() if one.generator == generator]
        item.set_sensitive(bool(past))
        inner = Gtk.Menu()
        for one in past:
            entry = Gtk.MenuItem.new_with_label(one.name)
            entry.connect("activate", lambda _entry, one=one: self._take(one))
            inner.append(entry)
        item.set_submenu(inner)
        self._menu.append(item)

    def _take_random(self) -> None:
        self._take(SliderPreset("", self._read()[0], {**choose_gently(self._limits())}))

    def _add(self, label: str, action: Callable[[], None]) -> Gtk.MenuItem:
        item = Gtk.MenuItem.new_with_mnemonic(label)
        item.connect("activate", lambda _item: action())
        self._menu.append(item)
        return item

    def _save(self) -> None:
        dialog = Gtk.Dialog(title=_("Save preset"), transient_for=self._window(), modal=True)
        dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        dialog.add_button(_("_Save"), Gtk.ResponseType.OK)
        dialog.set_default_response(Gtk.ResponseType.OK)
        name = Gtk.Entry()
        name.set_activates_default(True)
        name.get_accessible().set_name(_("Name of the preset"))
        box = dialog.get_content_area()
        box.set_border_width(12)
        box.pack_start(name, False, False, 0)
        dialog.show_all()
        if dialog.run() == Gtk.ResponseType.OK:
            try:
                save_preset(name.get_text().strip(), *self._read())
            except PluginError as error:
                self._failed(str(error))
        dialog.destroy()

    def _open(self) -> None:
        dialog = Gtk.FileChooserDialog(
            title=_("Open preset"), transient_for=self._window(), action=Gtk.FileChooserAction.OPEN
        )
        dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        dialog.add_button(_("_Open"), Gtk.ResponseType.OK)
        if presets_folder().is_dir():
            dialog.set_current_folder(str(presets_folder()))
        chosen = dialog.get_filename() if dialog.run() == Gtk.ResponseType.OK else None
        dialog.destroy()
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Take the preset in a file."""
        try:
            self._take(load_preset(path))
        except PluginError as error:
            self._failed(str(error))

    def _window(self) -> Gtk.Window:
        window: Gtk.Window = self.widget.get_toplevel()
        return window
