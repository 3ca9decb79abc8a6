"""What is installed: every plug-in's objects by name, and what became of every plug-in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, overload

import pluggy

from latentfu import hookspecs as hooks
from latentfu.command_table import COMMANDS
from latentfu.core.control import Control
from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError
from latentfu.core.names import is_name
from latentfu.core.paths import data_dir
from latentfu.hookspecs import kind_of
from latentfu.plugin_manager.deaths import DeathWatch
from latentfu.plugin_manager.default_choice import default_first
from latentfu.plugin_manager.plugin import Plugin, PluginStatus, controls_of, load_plugin
from latentfu.plugin_manager.sources import Source, all_sources, disabled_names, read_choices
from latentfu.plugin_manager.validation import key_of
from latentfu.plugin_objects import Command, GeneratorSpec

T = TypeVar("T")


class Registry:
    """The plug-ins of ``sources``, loaded once; names in ``disabled`` are not imported.

    What is asked for comes as a new dict from name to object, in plug-in order, so that the first
    is the default; of the generators the one that was chosen comes first. A quarantined plug-in
    contributes nothing. Of two objects of one name the first plug-in's has it; those in
    ``preferred`` come before all others. ``deaths``: who ended whole processes before.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        disabled: Iterable[str] = (),
        preferred: Sequence[str] = (),
        deaths: DeathWatch | None = None,
    ) -> None:
        manager = pluggy.PluginManager("latentfu")
        manager.add_hookspecs(hooks.Hooks)
        off = frozenset(disabled)
        self._plugins = [Plugin(source) for source in sources]
        self._preferred = tuple(preferred)
        self._deaths = deaths
        self._control_owners: dict[tuple[str, str], Plugin] = {}
        for plugin in self._plugins:
            set_aside = deaths.why_set_aside(plugin.source) if deaths else ""
            if plugin.source.name in off:
                plugin.state = "disabled"
            elif set_aside:
                plugin.quarantine(set_aside)
            else:
                with self._watch(plugin):
                    load_plugin(plugin, manager)
        specs = self._all_specs()  # a fault that shows now frees the names of its plug-in
        answers = {spec.id: self._ask_controls(spec) for spec in specs}
        self._give_names()
        for spec in self.installed(GeneratorSpec).values():
            self._name_controls(spec, answers[spec.id])

    def _all_specs(self) -> list[GeneratorSpec]:
        items = [item for plugin in self._plugins for item in plugin.items.get("generators", ())]
        return [item for item in items if isinstance(item, GeneratorSpec)]

    def _watch(self, plugin: Plugin) -> contextlib.AbstractContextManager[None]:
        return self._deaths.watch(plugin.source) if self._deaths else contextlib.nullcontext()

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
        found = self.installed_in_order(kind)
        return default_first(found) if kind_of(kind).name == "generators" else found

    def installed_in_order(self, kind: type[Any] | str) -> dict[str, Any]:
        """The same in plug-in order, whichever generator was chosen."""
        name = kind_of(kind).name
        if name == "controls":
            raise BadInputError("Controls depend on a generator: ask controls(generator).")
        items = [item for plugin in self._in_order(name) for item in plugin.items.get(name, ())]
        return {key_of(item): item for item in items}

    def watched_folders(self) -> list[Path]:
        """Folders whose files decide what plug-ins list, of quarantined ones too."""
        return [path for plugin in self._plugins for path in plugin.watched]

    def controls(self, spec: GeneratorSpec) -> dict[str, Control]:
        """Controls for ``spec``, asked of the plug-ins each time, so new direction files appear.

        A plug-in that fails here is quarantined from then on. A control whose name another
        plug-in has is listed as ``PLUGIN.NAME``.
        """
        return self._name_controls(spec, self._ask_controls(spec))

    def _ask_controls(self, spec: GeneratorSpec) -> list[tuple[Control, ...]]:
        """What each plug-in answers, in plug-in order."""
        answers = []
        for plugin in self._plugins:
            with self._watch(plugin):
                answers.append(controls_of(plugin, spec))
        return answers

    def _name_controls(
        self, spec: GeneratorSpec, answers: Sequence[tuple[Control, ...]]
    ) -> dict[str, Control]:
        """The controls under the names that they can have, in plug-in order."""
        asked = dict(zip(map(id, self._plugins), answers, strict=True))
        found: dict[int, tuple[Control, ...]] = {}
        table: dict[str, Control] = {}
        for plugin in self._by_preference("controls"):
            mine = asked[id(plugin)] if plugin.state == "ok" else ()
            found[id(plugin)] = tuple(self._named_freely(mine, table, plugin, spec))
            table.update({control.name: control for control in found[id(plugin)]})
            plugin.control_names.update(control.name for control in found[id(plugin)])
            self._control_owners.update({(spec.id, c.name): plugin for c in found[id(plugin)]})
        plugins = self._in_order("controls")
        listed = [control for plugin in plugins for control in found[id(plugin)]]
        return {control.name: control for control in listed}

    def _named_freely(
        self,
        controls: Iterable[Control],
        taken: Mapping[str, Control],
        plugin: Plugin,
        spec: GeneratorSpec,
    ) -> Iterator[Control]:
        """The controls, those whose name is taken under their plug-in's name too."""
        for control in controls:
            if control.name not in taken:
                yield control
                continue
            owner = self._control_owners[spec.id, control.name].source
            longer = f"{plugin.source.name}.{control.name}".lower()
            note = f"the control {control.name!r} of generator {spec.name}, which {owner.name} has"
            if longer in taken or not is_name(longer):
                plugin.leave_out(f"left out {note}")
                continue
            plugin.leave_out(f"{longer} is {note}")
            yield replace(control, name=longer, title=f"{control.title} ({plugin.source.name})")

    def _in_order(self, kind: str) -> list[Plugin]:
        """The plug-ins in the order in which their objects of a kind are listed.

        The program's own come first, so that nothing that is installed becomes a default by
        itself; of the others those whose hook says ``tryfirst``, and last those with ``trylast``.
        """
        hook = hooks.KINDS[kind].hook
        return sorted(self._plugins, key=lambda plugin: plugin.place_of(hook))

    def _by_preference(self, kind: str) -> list[Plugin]:
        """The plug-ins in the order in which names of a kind are given out."""
        place = {name: number for number, name in enumerate(self._preferred)}
        return sorted(self._in_order(kind), key=lambda p: place.get(p.source.name, len(place)))

    def owner(self, item: object) -> Source | None:
        """The plug-in that brought an object, None for one that no plug-in did."""
        if isinstance(item, Control):
            owner = self._control_owners.get((item.generator_id, item.name))
            return owner.source if owner else None
        for plugin in self._plugins:
            if any(item is mine for items in plugin.items.values() for mine in items):
                return plugin.source
        return None

    def statuses(self) -> list[PluginStatus]:
        """What became of every plug-in that was found, in order."""
        return [plugin.status() for plugin in self._plugins]

    def _give_names(self) -> None:
        names = _Names()
        for plugin in self._plugins:
            if plugin.state == "ok":
                names.claim(plugin)
        for kind in hooks.KINDS:
            for plugin in self._by_preference(kind):
                names.give(plugin, kind)


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
    """Who has which name: the first plug-in that claims one has it, a later one goes without."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], str] = {}
        self._paths: dict[tuple[str, ...], str] = dict.fromkeys(COMMANDS, "latentfu itself")
        self._plugins: dict[str, str] = {}

    def claim(self, plugin: Plugin) -> None:
        """``plugin`` has its own name now, or is quarantined as another has it."""
        name = plugin.source.name
        if name in self._plugins:
            plugin.quarantine(f"claims the plug-in name {name!r}, which {self._plugins[name]} has")
            return
        self._plugins[name] = f"{name} ({plugin.source.origin})"

    def give(self, plugin: Plugin, kind: str) -> None:
        """It has its free names of a kind; objects whose name is taken are left out of it."""
        owner = f"{plugin.source.name} ({plugin.source.origin})"
        if kind in plugin.items:
            items = plugin.items[kind]
            plugin.items[kind] = tuple(
                item for item in items if self._is_given(kind, item, plugin, owner)
            )

    def _is_given(self, kind: str, item: object, plugin: Plugin, owner: str) -> bool:
        if isinstance(item, Command):
            taken = self._owner_of_path(item.path)
            self._paths.setdefault(item.path, owner)
            what = f"the command {' '.join(item.path)!r}"
        else:
            taken = self._owners.get((kind, key_of(item)))
            self._owners.setdefault((kind, key_of(item)), owner)
            what = f"the {hooks.KINDS[kind].word} {key_of(item)!r}"
        if taken is not None:
            plugin.leave_out(f"left out {what}, which {taken} has")
        return taken is None

    def _owner_of_path(self, path: tuple[str, ...]) -> str | None:
        for known, owner in self._paths.items():
            if path[: len(known)] == known or known[: len(path)] == path:
                return owner
        return None


class _Current:
    """The registry of this process, made when it is first asked for and again when it is old."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._registry: Registry | None = None
        self._stamp: tuple[str | int, ...] | None = None
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
                    self._registry = Registry(
                        all_sources(),
                        disabled_names(),
                        read_choices().preferred,
                        DeathWatch(),
                    )
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


def _stamp_of(registry: Registry) -> tuple[str | int, ...]:
    """Changes when a file is put into a watched folder or taken from it, or the folders move."""
    times: list[str | int] = [str(data_dir())]
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
