"""The list of methods, with the seconds that each took here the last time, and their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gi.repository import Gtk

from .choices import list_methods
from .kept_settings import keep_setting, recall_setting
from .method_options import MethodOptions
from .widgets import Choice

_NAME = "method-times"
_MOST = 64
"""Networks and methods whose time is remembered."""


class MethodChoice(Choice):
    """Says of a method how long it takes once it was measured on this machine, and not before.

    ``rows`` has the list, and below it the options of a method that is chosen by its name; why some
    are not taken goes to ``refused``.
    """

    _inverters: Sequence[Mapping[str, Any]] = ()
    _generator = ""

    def __init__(
        self,
        label: str,
        names: Gtk.SizeGroup,
        changed: Callable[[], None],
        refused: Callable[[str], None],
    ) -> None:
        super().__init__(label, names, changed)
        self.options = MethodOptions(names, changed, refused)
        self.rows = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for row in (self, self.options):
            self.rows.pack_start(row.widget, False, False, 0)

    def _choose(self) -> None:
        if not self._quiet:
            self.options.offer(self._inverters, self.name)
        super()._choose()

    def offer(self, inverters: Sequence[Mapping[str, Any]], generator: str, chosen: str) -> None:
        """List what the server has for ``generator``."""
        self._inverters, self._generator = inverters, generator
        self.show(list_methods(inverters, _read_times(generator)), chosen)
        self.options.offer(inverters, self.name)

    def note_time(self, report: Mapping[str, Any]) -> None:
        """Remember what the report of an inversion by the chosen method says, and show it."""
        seconds = report.get("inversion_seconds")
        if isinstance(seconds, (int, float)) and seconds > 0:
            _keep_time(self._generator, self.name, seconds)
            self.offer(self._inverters, self._generator, self.name)


def _keep_time(generator: str, method: str, seconds: float) -> None:
    key = f"{generator}:{method}"
    others = {other: told for other, told in _read().items() if other != key}
    keep_setting(_NAME, {**dict(list(others.items())[-_MOST:]), key: round(seconds, 1)})


def _read_times(generator: str) -> dict[str, float]:
    """Seconds by the names of methods, "" for the default."""
    begin = f"{generator}:"
    return {key[len(begin) :]: told for key, told in _read().items() if key.startswith(begin)}


def _read() -> dict[str, float]:
    found = recall_setting(_NAME)
    if not isinstance(found, dict):
        return {}
    return {str(key): float(told) for key, told in found.items() if isinstance(told, (int, float))}
