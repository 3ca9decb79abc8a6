"""What is installed: every plug-in's objects by name, and what became of every plug-in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import pluggy

from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.core.errors import LatentFuError, NotInstalledError
from latentfu.plugin_manager.disabled import disabled_names
from latentfu.plugin_manager.names import Names
from latentfu.plugin_manager.plugin import Plugin, PluginStatus, controls_of, load
from latentfu.plugin_manager.sources import Source, all_sources
from latentfu.plugin_manager.validation import key_of
from latentfu.storage.paths import data_dir

T = TypeVar("T")


class Registry:
    """The plug-ins of ``sources``, loaded once; names in ``disabled`` are not imported.

    Every getter gives a new dict from name to object, in plug-in order, so that the first
    is the default. A quarantined plug-in contributes nothing.
    """

    def __init__(self, sources: Iterable[Source], disabled: Iterable[str] = ()) -> None:
        manager = pluggy.PluginManager("latentfu")
        manager.add_hookspecs(hooks.Hooks)
        off = frozenset(disabled)
        self._plugins = [Plugin(source) for source in sources]
        for plugin in self._plugins:
            if plugin.source.name in off:
                plugin.state = "disabled"
            else:
                load(plugin, manager)
        self._give_names(self._claimed_controls())

    def generators(self) -> dict[str, hooks.GeneratorSpec]:
        """Generators that can be opened by name, the default first."""
        return self._table("generators", hooks.GeneratorSpec)

    def checkpoint_formats(self) -> dict[str, hooks.CheckpointFormat]:
        """Readers of foreign weight files."""
        return self._table("checkpoint_formats", hooks.CheckpointFormat)

    def aligners(self) -> dict[str, hooks.Aligner]:
        """Ways to find the square in a layer."""
        return self._table("aligners", hooks.Aligner)

    def losses(self) -> dict[str, hooks.Loss]:
        """Image distances for inversion."""
        return self._table("losses", hooks.Loss)

    def inverters(self) -> dict[str, hooks.Inverter]:
        """Inversion methods, the default first."""
        return self._table("inverters", hooks.Inverter)

    def encoders(self) -> dict[str, hooks.Encoder]:
        """Networks that give a latent in one pass."""
        return self._table("encoders", hooks.Encoder)

    def build_steps(self) -> dict[str, hooks.BuildStep]:
        """What ``latentfu build`` makes."""
        return self._table("build_steps", hooks.BuildStep)

    def public_networks(self) -> dict[str, hooks.PublicNetwork]:
        """Networks that plug-ins offer for fetching."""
        return self._table("public_networks", hooks.PublicNetwork)

    def identities(self) -> dict[str, hooks.Identity]:
        """Networks that know a person again."""
        return self._table("identities", hooks.Identity)

    def scorers(self) -> dict[str, hooks.Scorer]:
        """Readers of attributes."""
        return self._table("scorers", hooks.Scorer)

    def control_makers(self) -> dict[str, hooks.ControlMaker]:
        """Methods that make directions and deformations."""
        return self._table("control_makers", hooks.ControlMaker)

    def commands(self) -> dict[str, hooks.Command]:
        """Commands that plug-ins add, by their path joined with spaces ("train generator")."""
        return self._table("commands", hooks.Command)

    def controls(self, spec: hooks.GeneratorSpec) -> dict[str, Control]:
        """Controls for ``spec``, asked of the plug-ins each time, so new direction files appear.

        A plug-in that fails here, or claims a taken name, is quarantined from then on.
        """
        table: dict[str, tuple[Control, Plugin]] = {}
        for plugin in self._plugins:
            mine = controls_of(plugin, spec)
            taken = next((control.name for control in mine if control.name in table), None)
            if taken is not None:
                owner = table[taken][1].source
                plugin.quarantine(
                    f"claims the control {taken!r} of generator {spec.name}, which "
                    f"{owner.name} ({owner.origin}) has"
                )
                continue
            plugin.control_names.update(control.name for control in mine)
            table.update({control.name: (control, plugin) for control in mine})
        return {name: control for name, (control, _) in table.items()}

    def statuses(self) -> list[PluginStatus]:
        """What became of every plug-in that was found, in order."""
        return [plugin.status() for plugin in self._plugins]

    def _table(self, kind: hooks.Kind, wanted: type[T]) -> dict[str, T]:
        items = [item for plugin in self._plugins for item in plugin.items.get(kind, ())]
        return {key_of(item): item for item in items if isinstance(item, wanted)}

    def _claimed_controls(self) -> dict[int, list[tuple[str, str]]]:
        """All controls of all generators, so that faults show before names are given out.

        Key: position of the plug-in.
        """
        specs = list(self.generators().values())
        claims: dict[int, list[tuple[str, str]]] = {}
        for position, plugin in enumerate(self._plugins):
            found = [(spec, control) for spec in specs for control in controls_of(plugin, spec)]
            claims[position] = [(f"controls of {spec.name}", item.name) for spec, item in found]
        return claims

    def _give_names(self, claims: Mapping[int, list[tuple[str, str]]]) -> None:
        names = Names()
        for position, plugin in enumerate(self._plugins):
            if plugin.state != "ok":
                continue
            clash = names.clash(plugin, claims[position])
            if clash:
                plugin.quarantine(clash)
            else:
                names.give(plugin, claims[position])
                plugin.control_names.update(name for _, name in claims[position])


def pick(table: Mapping[str, T], name: str | None, word: str) -> T:
    """``table[name]``, the first for None; raises NotInstalledError naming what is installed."""
    if name is None and table:
        return next(iter(table.values()))
    if name is not None and name in table:
        return table[name]
    known = ", ".join(table) or "none"
    wanted = f"{word} {name!r}" if name is not None else word
    raise NotInstalledError(f"There is no {wanted}; installed: {known}.")


_lock = threading.RLock()
_current: list[Registry] = []
_making: list[bool] = []
_seen: list[tuple[int, ...]] = []
"""What :func:`_networks_stamp` was when the registry of this process was made."""


def get_registry(fresh: bool = False) -> Registry:
    """The registry of this process, made at the first call, and again when a network was imported.

    ``fresh``: look again, for generators and plug-ins that came since (modules that are already
    imported are not imported again). Raises StorageError if ``plugins.json`` is damaged.
    """
    with _lock:
        if _making:
            raise LatentFuError("A hook may not ask what is installed: plug-ins are being listed.")
        stamp = _networks_stamp()
        if fresh or not _current or (_seen and _seen[0] != stamp):
            _making.append(True)
            try:
                _current[:] = [Registry(all_sources(), disabled_names())]
                _seen[:] = [stamp]
            finally:
                _making.clear()
        return _current[0]


def _networks_stamp() -> tuple[int, ...]:
    """Changes when a network or an encoder is put into the data folder or taken from it."""
    times = []
    for name in ("generators", "encoders"):
        try:
            times.append((data_dir() / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


@contextmanager
def use_registry(registry: Registry) -> Iterator[Registry]:
    """Let :func:`get_registry` give ``registry`` for a while (tests)."""
    before, seen = list(_current), list(_seen)
    _current[:], _seen[:] = [registry], []
    try:
        yield registry
    finally:
        _current[:], _seen[:] = before, seen
