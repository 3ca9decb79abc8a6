"""One plug-in each: imported, registered with pluggy, its hooks called and checked alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import pluggy

from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.plugin_manager.isolation import PluginFaultError, hint_when_slow, run_isolated
from latentfu.plugin_manager.sources import Source
from latentfu.plugin_manager.validation import check_control_ids, checked_items, key_of

State = Literal["ok", "disabled", "quarantined"]
T = TypeVar("T")
_CONTROLS = hooks.kind_of(Control)
_FOLDERS = hooks.kind_of(hooks.WatchedFolder)


@dataclass(frozen=True)
class PluginStatus:
    """A line of ``latentfu plugins list``.

    ``origin``: ``package NAME`` or ``file PATH``. ``reason``: why it is quarantined, else empty.
    ``provides``: names of what it brings, by kind; empty unless ``state`` is "ok".
    """

    name: str
    origin: str
    version: str
    state: State
    reason: str
    provides: Mapping[str, tuple[str, ...]]


@dataclass
class Plugin:
    """A plug-in while the registry works with it.

    ``items``: what its hooks without arguments returned, by kind. ``watched``: the folders that it
    reads; they stay when it is quarantined, as a file in one of them may be why.
    """

    source: Source
    state: State = "ok"
    reason: str = ""
    items: dict[str, tuple[object, ...]] = field(default_factory=dict)
    watched: tuple[Path, ...] = ()
    control_names: set[str] = field(default_factory=set)
    implementations: dict[str, pluggy.HookImpl] = field(default_factory=dict)

    def quarantine(self, reason: str) -> None:
        """From now on it contributes nothing."""
        self.state = "quarantined"
        self.reason = reason
        self.items.clear()
        self.control_names.clear()

    def status(self) -> PluginStatus:
        """What became of it, for people."""
        provides: dict[str, tuple[str, ...]] = {
            kind: tuple(map(key_of, items)) for kind, items in self.items.items() if items
        }
        if self.control_names:
            provides["controls"] = tuple(sorted(self.control_names))
        source = self.source
        return PluginStatus(
            source.name, source.origin, source.version, self.state, self.reason, provides
        )


def load(plugin: Plugin, manager: pluggy.PluginManager) -> None:
    """Import the plug-in, register it and call its hooks; any fault quarantines it."""
    try:
        with hint_when_slow(plugin.source.name):
            module = run_isolated("while it was imported", plugin.source.load)
            run_isolated("while it was registered", lambda: _register(plugin, module, manager))
            plugin.watched = tuple(folder.path for folder in _call(plugin, _FOLDERS))
            for kind in hooks.KINDS.values():
                if kind is not _CONTROLS:  # they are asked for each generator
                    plugin.items[kind.name] = _call(plugin, kind)
    except PluginFaultError as fault:
        plugin.quarantine(str(fault))


def controls_of(plugin: Plugin, generator: hooks.GeneratorSpec) -> tuple[Control, ...]:
    """The plug-in's controls for ``generator``; after a fault it is quarantined and has none."""
    if plugin.state != "ok":
        return ()
    try:
        controls = _call(plugin, _CONTROLS, generator=generator)
        check_control_ids(controls, generator)
    except PluginFaultError as fault:
        plugin.quarantine(str(fault))
        return ()
    return controls


def _call(plugin: Plugin, kind: hooks.Kind[T], **arguments: object) -> tuple[T, ...]:
    """One hook of one plug-in. Not through pluggy's own call, which ends at the first exception."""
    implementation = plugin.implementations.get(kind.hook)
    if implementation is None:
        return ()
    wanted = {name: arguments[name] for name in implementation.argnames}
    return run_isolated(
        f"in {kind.hook}", lambda: checked_items(kind, implementation.function(**wanted))
    )


def _register(plugin: Plugin, module: object, manager: pluggy.PluginManager) -> None:
    """pluggy checks hook names and signatures; its complaints become the reason."""
    key = f"{plugin.source.origin}: {plugin.source.name}"
    try:
        if manager.register(module, key) is None:
            raise PluginFaultError("is blocked")
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.has_plugin(key):
            manager.unregister(name=key)
        raise PluginFaultError(_complaint(error)) from error
    plugin.implementations = _implementations(module, manager)


def _implementations(module: object, manager: pluggy.PluginManager) -> dict[str, pluggy.HookImpl]:
    found: dict[str, pluggy.HookImpl] = {}
    for caller in manager.get_hookcallers(module) or ():
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module:
                found[caller.name] = implementation
                if implementation.wrapper or implementation.hookwrapper:
                    raise PluginFaultError(f"{caller.name} is a hook wrapper, which is not taken")
    if not found:
        raise PluginFaultError(
            "has no hook: mark at least one function latentfu_... with @latentfu.hookimpl"
        )
    return found


def _complaint(error: Exception) -> str:
    text = str(error)
    if isinstance(error, pluggy.PluginValidationError) and "unknown hook" in text:
        return f"has an {text[text.index('unknown hook') :].splitlines()[0]}"
    if "Argument(s)" in text:
        return "has a wrong signature: " + " ".join(text[text.index("Argument(s)") :].split())
    return " ".join(text.split())
