"""The size of each window, kept in GIMP's own settings until the next time."""

from __future__ import annotations

from gi.repository import Gtk

from .kept_settings import keep_setting, recall_setting

_NAME = "window-sizes"


def restore_size(dialog: Gtk.Dialog, role: str, width: int, height: int) -> None:
    """Open at the size that the window of that role had, else at the one given."""
    dialog.set_default_size(*_read().get(role, (width, height)))


def keep_size(dialog: Gtk.Dialog, role: str) -> None:
    """Remember the size that the window has now."""
    width, height = dialog.get_size()
    keep_setting(_NAME, {**_read(), role: (width, height)})


def _read() -> dict[str, tuple[int, int]]:
    found = recall_setting(_NAME) or {}
    try:
        sizes = {str(role): (int(width), int(height)) for role, (width, height) in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
    return {role: size for role, size in sizes.items() if min(size) > 0 and max(size) < 1 << 15}
