"""What is installed: every plug-in's objects by name, and what became of every plug-in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import pluggy

from latentfu import hookspecs as hooks
from latentfu.command_table import COMMANDS
from latentfu.core.control import Control
from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError
from latentfu.hookspecs import kind_of
from latentfu.plugin_manager.plugin import Plugin, PluginStatus, controls_of, load
from latentfu.plugin_manager.sources import Source, all_sources, disabled_names
from latentfu.plugin_manager.validation import key_of

T = TypeVar("T")


class Registry:
    """The plug-ins of ``sources``, loaded once; names in ``disabled`` are not imported.

    What is asked for comes as a new dict from name to object, in plug-in order, so that the first
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

    @overload
    def installed(self, kind: type[T]) -> dict[str, T]: ...

    @overload
    def installed(self, kind: str) -> dict[str, Any]: ...

    def installed(self, kind: type[Any] | str) -> dict[str, Any]:
        """All objects of a kind by name, in plug-in order.

        Args:
            kind: the class of the objects (``Loss``), or the kind's name ("losses"). Controls
                depend on a generator: see :meth:`controls`.

        Raises:
            NotInstalledError: there is no such kind.
            BadInputError: for controls.
        """
        name = kind_of(kind).name
        if name == "controls":
            raise BadInputError("Controls depend on a generator: ask controls(generator).")
        items = [item for plugin in self._plugins for item in plugin.items.get(name, ())]
        return {key_of(item): item for item in items}

    def watched_folders(self) -> list[Path]:
        """Folders whose files decide what plug-ins list, of quarantined ones too."""
        return [path for plugin in self._plugins for path in plugin.watched]

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

    def _claimed_controls(self) -> dict[int, list[tuple[str, str]]]:
        """All controls of all generators, so that faults show before names are given out.

        Key: position of the plug-in.
        """
        specs = list(self.installed(hooks.GeneratorSpec).values())
        claims: dict[int, list[tuple[str, str]]] = {}
        for position, plugin in enumerate(self._plugins):
            found = [(spec, control) for spec in specs for control in controls_of(plugin, spec)]
            claims[position] = [(f"controls of {spec.name}", item.name) for spec, item in found]
        return claims

    def _give_names(self, claims: Mapping[int, list[tuple[str, str]]]) -> None:
        names = _Names()
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
    """The object of that name.

    Args:
        table: what is installed, by name.
        name: which one; None for the first.
        word: what it is, for the sentence ("generator").

    Raises:
        NotInstalledError: naming what is installed instead.
    """
    if name is None and table:
        return next(iter(table.values()))
    if name is not None and name in table:
        return table[name]
    known = ", ".join(table) or "none"
    wanted = f"{word} {name!r}" if name is not None else word
    raise NotInstalledError(f"There is no {wanted}; installed: {known}.")


class _Names:
    """Who has which name: the first plug-in that claims one has it, a later one is kept out."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], str] = {}
        self._paths: dict[tuple[str, ...], str] = dict.fromkeys(COMMANDS, "latentfu itself")

    def clash(self, plugin: Plugin, extra: Iterable[tuple[str, str]] = ()) -> str | None:
        """Why ``plugin`` cannot have all the names it claims; None if it can."""
        for kind, name in [*_claims(plugin), *extra]:
            owner = self._owners.get((kind, name))
            if owner is not None:
                return f"claims the {_say(kind, name)}, which {owner} has"
        for path in _paths(plugin):
            for taken, owner in self._paths.items():
                if path[: len(taken)] == taken or taken[: len(path)] == path:
                    return f"claims the command {' '.join(path)!r}, which {owner} has"
        return None

    def give(self, plugin: Plugin, extra: Iterable[tuple[str, str]] = ()) -> None:
        """``plugin`` has all its names now."""
        owner = f"{plugin.source.name} ({plugin.source.origin})"
        for claim in [*_claims(plugin), *extra]:
            self._owners[claim] = owner
        for path in _paths(plugin):
            self._paths[path] = owner


def _claims(plugin: Plugin) -> Iterator[tuple[str, str]]:
    yield ("plug-in", plugin.source.name)
    for kind, items in plugin.items.items():
        if kind != "commands":
            for item in items:
                yield (kind, key_of(item))


def _paths(plugin: Plugin) -> list[tuple[str, ...]]:
    items = plugin.items.get("commands", ())
    return [item.path for item in items if isinstance(item, hooks.Command)]


def _say(kind: str, name: str) -> str:
    if kind.startswith("controls of "):
        return f"control {name!r} of generator {kind.removeprefix('controls of ')}"
    word = hooks.KINDS[kind].word if kind in hooks.KINDS else kind
    return f"{word} name {name!r}"


class _Current:
    """The registry of this process, made when it is first asked for and again when it is old."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._registry: Registry | None = None
        self._stamp: tuple[int, ...] | None = None
        """The times of the watched folders when the registry was made; None: never old."""
        self._is_listing = False

    def get(self, fresh: bool) -> Registry:
        with self._lock:
            if self._is_listing:
                raise LatentFuError(
                    "A hook may not ask what is installed: plug-ins are being listed."
                )
            if self._registry is None or fresh or self._is_old(self._registry):
                self._is_listing = True
                try:
                    self._registry = Registry(all_sources(), disabled_names())
                    self._stamp = _stamp_of(self._registry)
                finally:
                    self._is_listing = False
            return self._registry

    @contextmanager
    def replaced(self, registry: Registry) -> Iterator[Registry]:
        before = self._registry, self._stamp
        self._registry, self._stamp = registry, None
        try:
            yield registry
        finally:
            self._registry, self._stamp = before

    def _is_old(self, registry: Registry) -> bool:
        return self._stamp is not None and self._stamp != _stamp_of(registry)


def _stamp_of(registry: Registry) -> tuple[int, ...]:
    """Changes when a file is put into a watched folder or taken from it."""
    times = []
    for folder in registry.watched_folders():
        try:
            times.append(folder.stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


_current = _Current()


def get_registry(fresh: bool = False) -> Registry:
    """The registry of this process, made anew when a watched folder changed.

    Args:
        fresh: look again, for plug-ins that came since (modules that are already imported are not
            imported again).

    Raises:
        StorageError: ``plugins.json`` is damaged.
    """
    return _current.get(fresh)


@contextmanager
def use_registry(registry: Registry) -> Iterator[Registry]:
    """Let :func:`get_registry` give ``registry`` for a while (tests)."""
    with _current.replaced(registry):
        yield registry
