"""One plug-in each: imported, registered with pluggy, its hooks called and checked alone."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import pluggy

import latentfu
from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.plugin_manager.isolation import PluginFaultError, hint_when_slow, run_isolated
from latentfu.plugin_manager.sources import NEEDS_CONSTANT, Source
from latentfu.plugin_manager.tracing import trace_hook
from latentfu.plugin_manager.validation import check_control_ids, checked_items, key_of
from latentfu.plugin_objects import GeneratorSpec, WatchedFolder

PluginState = Literal["ok", "disabled", "quarantined"]
T = TypeVar("T")
_CONTROLS = hooks.kind_of(Control)
_FOLDERS = hooks.kind_of(WatchedFolder)


@dataclass(frozen=True)
class PluginStatus:
    """A line of ``latentfu plugins list``.

    ``origin``: ``package NAME`` or ``file PATH``. ``reason``: why it is quarantined, else empty.
    ``provides``: names of what it brings, by kind; empty unless ``state`` is "ok". ``left_out``:
    what it brings beside that and cannot have its name, a sentence each. ``traceback``: where the
    error behind ``reason`` comes from; empty where there was none.
    """

    name: str
    origin: str
    version: str
    state: PluginState
    reason: str
    provides: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...] = ()
    traceback: str = ""


@dataclass
class Plugin:
    """A plug-in while the registry works with it.

    ``items``: what its hooks without arguments returned, by kind. ``watched``: the folders that it
    reads; they stay when it is quarantined, as a file in one of them may be why.
    """

    source: Source
    state: PluginState = "ok"
    reason: str = ""
    items: dict[str, tuple[object, ...]] = field(default_factory=dict)
    watched: tuple[Path, ...] = ()
    control_names: set[str] = field(default_factory=set)
    implementations: dict[str, pluggy.HookImpl] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    traceback: str = ""

    def place_of(self, hook: str) -> int:
        """Where what its ``hook`` brings stands: 0 for the program's own, then 1, 2 or 3."""
        if self.source.is_ours:
            return 0
        found = self.implementations.get(hook)
        return 2 if found is None else 2 - found.tryfirst + found.trylast

    def leave_out(self, what: str) -> None:
        """One object of it is not used; the sentence is told once."""
        if what not in self.left_out:
            self.left_out.append(what)

    def quarantine(self, reason: str, traceback: str = "") -> None:
        """From now on it contributes nothing."""
        self.state = "quarantined"
        self.reason = reason
        self.traceback = traceback
        self.left_out.clear()
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
            source.name,
            source.origin,
            source.version,
            self.state,
            self.reason,
            provides,
            tuple(self.left_out),
            self.traceback,
        )


def load_plugin(plugin: Plugin, manager: pluggy.PluginManager) -> None:
    """Import the plug-in, register it and call its hooks; any fault quarantines it."""
    try:
        _check_needs(plugin.source)
        with hint_when_slow(plugin.source.name):
            with trace_hook(plugin.source.name, "import"):
                module = run_isolated("while it was imported", plugin.source.load)
            run_isolated("while it was registered", lambda: _register(plugin, module, manager))
            plugin.watched = tuple(folder.path for folder in _call(plugin, _FOLDERS))
            for kind in hooks.KINDS.values():
                if kind is not _CONTROLS:  # they are asked for each generator
                    plugin.items[kind.name] = _call(plugin, kind)
    except PluginFaultError as fault:
        plugin.quarantine(_explain_fault(fault), fault.traceback)


def controls_of(plugin: Plugin, generator: GeneratorSpec) -> tuple[Control, ...]:
    """The plug-in's controls for ``generator``; after a fault it is quarantined and has none."""
    if plugin.state != "ok":
        return ()
    try:
        controls = _call(plugin, _CONTROLS, generator=generator)
        check_control_ids(controls, generator)
    except PluginFaultError as fault:
        plugin.quarantine(_explain_fault(fault), fault.traceback)
        return ()
    return controls


def _check_needs(source: Source) -> None:
    """Refuse a plug-in that asks for another version of this program (raises PluginFaultError)."""
    if not source.needs:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        wanted = SpecifierSet(source.needs)
    except InvalidSpecifier:
        if source.file is None:
            return  # whoever installed it has let it pass
        raise PluginFaultError(
            f"says {NEEDS_CONSTANT} = {source.needs!r}, which names no versions: write it as "
            f"'>=0.2,<0.4'"
        ) from None
    if not wanted.contains(latentfu.__version__, prereleases=True):
        raise PluginFaultError(
            f"needs latentfu {source.needs}, and this is {latentfu.__version__}: install a "
            f"version of the plug-in for it, or another latentfu"
        )


def _explain_fault(fault: PluginFaultError) -> str:
    """The reason; with an idea where the plug-in asks for what this version does not have."""
    cause = fault.__cause__
    missing = isinstance(cause, ImportError) and (cause.name or "").split(".")[0] == "latentfu"
    if missing or (isinstance(cause, AttributeError) and "module 'latentfu'" in str(cause)):
        return f"{fault} (it was written for another version than latentfu {latentfu.__version__})"
    return str(fault)


def _call(plugin: Plugin, kind: hooks.Kind[T], **arguments: object) -> tuple[T, ...]:
    """One hook of one plug-in. Not through pluggy's own call, which ends at the first exception."""
    implementation = plugin.implementations.get(kind.hook)
    if implementation is None:
        return ()
    wanted = {name: arguments[name] for name in implementation.argnames}
    with trace_hook(plugin.source.name, kind.hook):
        items = run_isolated(
            f"in {kind.hook}", lambda: checked_items(kind, implementation.function(**wanted))
        )
    for item in items:
        whose = getattr(item, "plugin", plugin.source.name)
        if whose != plugin.source.name:
            raise PluginFaultError(
                f"{kind.hook} returned a {kind.word} of the plug-in {whose!r}, and this one is "
                f"{plugin.source.name!r}"
            )
    return items


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
        return _unknown_hook(text[text.index("unknown hook") :].splitlines()[0])
    if isinstance(error, ValueError) and "already registered" in text:
        return "is the same module as another plug-in: give each entry point a module of its own"
    if "Argument(s)" in text:
        return "has a wrong signature: " + " ".join(text[text.index("Argument(s)") :].split())
    return " ".join(text.split())


def _unknown_hook(text: str) -> str:
    """The complaint in a sentence, with the hook that is spelled most alike."""
    found = re.search(r"latentfu_\w+", text)
    name = found[0] if found else text
    known = [kind.hook for kind in hooks.KINDS.values()]
    alike = difflib.get_close_matches(name, known, 1)
    return f"has an unknown hook {name}" + (f": did you mean {alike[0]}?" if alike else "")
