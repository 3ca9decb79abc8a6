"""The size of each window, kept in GIMP's own settings until the next time."""

from __future__ import annotations

import json

from gi.repository import Gimp, Gtk

NAME = "latentfu/window-sizes"


def restore_size(dialog: Gtk.Dialog, role: str, width: int, height: int) -> None:
    """Open at the size that the window of that role had, else at the one given."""
    dialog.set_default_size(*_read().get(role, (width, height)))


def keep_size(dialog: Gtk.Dialog, role: str) -> None:
    """Remember the size that the window has now."""
    width, height = dialog.get_size()
    sizes = {**_read(), role: (width, height)}
    data = json.dumps(sizes).encode("ascii")
    Gimp.attach_parasite(Gimp.Parasite.new(NAME, Gimp.PARASITE_PERSISTENT, data))


def _read() -> dict[str, tuple[int, int]]:
    parasite = Gimp.get_parasite(NAME)
    if parasite is None:
        return {}
    try:
        found = json.loads(bytes(parasite.get_data()))
        sizes = {str(role): (int(width), int(height)) for role, (width, height) in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
    return {role: size for role, size in sizes.items() if min(size) > 0 and max(size) < 1 << 15}
