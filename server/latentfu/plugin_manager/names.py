"""Handing out names in order: the first plug-in that claims one has it, a later one is kept out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from latentfu import hookspecs as hooks
from latentfu.command_table import COMMANDS
from latentfu.plugin_manager.plugin import Plugin
from latentfu.plugin_manager.validation import key_of

_WORDS = {
    "generators": "generator",
    "checkpoint_formats": "checkpoint format",
    "aligners": "aligner",
    "losses": "loss",
    "inverters": "inverter",
    "encoders": "encoder",
    "scorers": "scorer",
    "identities": "identity",
    "controls": "control",
    "control_makers": "control maker",
    "commands": "command",
    "build_steps": "build step",
    "public_networks": "public network",
}


class Names:
    """Who has which name."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], str] = {}
        self._paths: dict[tuple[str, ...], str] = dict.fromkeys(COMMANDS, "latentfu itself")

    def clash(self, plugin: Plugin, extra: Iterable[tuple[str, str]] = ()) -> str | None:
        """Why ``plugin`` can not have all the names it claims; None if it can."""
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
    return f"{_WORDS.get(kind, kind)} name {name!r}"
