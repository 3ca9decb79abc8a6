"""A click group that imports a command when it is called, and knows the plug-ins' commands."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterable
from pathlib import Path

import click

import latentfu
from latentfu.command_table import COMMANDS, DEFAULT_COMMANDS, GROUPS
from latentfu.core import paths
from latentfu.core.errors import LatentFuError, StorageError


class LazyGroup(click.Group):
    """The commands below ``path``: the program's own from the table, then those of plug-ins.

    Plug-ins are imported only when a name is not the program's own, or for a list of names.
    """

    def __init__(self, path: tuple[str, ...] = (), help: str = "") -> None:
        names = {"help_option_names": ["-h", "--help"]}
        super().__init__(path[-1] if path else "latentfu", help=help, context_settings=names)
        self.path = path

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lines(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = (*self.path, cmd_name)
        if path in COMMANDS:
            return _import(COMMANDS[path].target)
        if any(known[: len(path)] == path for known in COMMANDS):
            # No plug-in is asked: one that hangs must not stand before `plugins disable`.
            return LazyGroup(path, help=_group_help(path, COMMANDS))
        loaded = _plugin_command(path)
        if loaded is not None:
            return loaded
        # Asked of the plug-ins themselves: what is remembered for --help may be older.
        is_group = any(known[: len(path)] == path for known in _plugin_paths())
        return (
            LazyGroup(path, help=_group_help(path, _plugin_command_lines())) if is_group else None
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        default = DEFAULT_COMMANDS.get(self.path)
        is_word = default is not None and not args[0].startswith("-")
        if is_word and self.get_command(ctx, args[0]) is None:
            return super().resolve_command(ctx, [str(default), *args])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines(ctx).items()))

    def _lines(self, ctx: click.Context) -> dict[str, str]:
        """Name and help line of each command below, without importing the commands."""
        below = {path: entry.help for path, entry in COMMANDS.items()} | _plugin_command_lines()
        lines: dict[str, str] = {}
        depth = len(self.path)
        for path, line in below.items():
            if path[:depth] == self.path and len(path) > depth:
                leaf = len(path) == depth + 1
                if leaf or path[depth] not in lines:
                    lines[path[depth]] = line if leaf else _group_help(path[: depth + 1], below)
        return lines


def _group_help(path: tuple[str, ...], below: Iterable[tuple[str, ...]]) -> str:
    """What a group is for; of a plug-in's group the commands in it."""
    if path[-1] in GROUPS:
        return GROUPS[path[-1]]
    depth = len(path)
    names = sorted({known[depth] for known in below if known[:depth] == path and known[depth:]})
    return f"Commands of a plug-in: {', '.join(names)}."


def _import(target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def _plugin_paths() -> list[tuple[str, ...]]:
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_objects import Command

    return [command.path for command in get_registry().installed(Command).values()]


def _plugin_command(path: tuple[str, ...]) -> click.Command | None:
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_manager.isolation import PluginFaultError, run_isolated
    from latentfu.plugin_objects import Command

    found = get_registry().installed(Command).get(" ".join(path))
    if found is None:
        return None
    try:
        command = run_isolated("while it was loaded", found.load)
    except PluginFaultError as fault:
        raise LatentFuError(f"The plug-in command {' '.join(path)!r} {fault}.") from fault
    if not isinstance(command, click.Command):
        raise LatentFuError(f"The plug-in command {' '.join(path)!r} gave no click command.")
    return command


# The plug-ins' commands for --help are remembered, so that help imports no plug-in. What is
# remembered holds as long as the same plug-ins are installed in the same versions.
_Paths = dict[tuple[str, ...], str]


def _plugin_command_lines() -> _Paths:
    """Paths and help lines of the plug-ins' commands; none if plug-ins cannot be listed."""
    try:
        key = _fingerprint()
        remembered = _read_cache(key)
        if remembered is not None:
            return remembered
        from latentfu.plugin_manager.registry import get_registry
        from latentfu.plugin_objects import Command

        commands = get_registry().installed(Command).values()
    except LatentFuError as error:
        click.echo(f"Plug-ins are left out: {error}", err=True)
        return {}
    found = {command.path: command.help for command in commands if not command.hidden}
    _write_cache(key, found)
    return found


def _cache_path() -> Path:
    return paths.cache_dir() / "commands.json"


def _fingerprint() -> str:
    """Changes when a plug-in comes, goes, is replaced, or is switched on or off."""
    from latentfu.plugin_manager.sources import all_sources, disabled_names, installed_stamps

    files = [(str(path), path.stat().st_mtime_ns) for path in sorted(paths.plugin_dir().glob("*"))]
    sources = [(source.name, source.origin, source.version) for source in all_sources()]
    state = (latentfu.__version__, sources, installed_stamps(), files, sorted(disabled_names()))
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _read_cache(key: str) -> _Paths | None:
    try:
        content = json.loads(_cache_path().read_text(encoding="utf-8"))
        if content["key"] != key:
            return None
        return {tuple(map(str, path)): str(line) for path, line in content["commands"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_cache(key: str, commands: _Paths) -> None:
    from latentfu.storage.atomic import write_whole

    content = {"key": key, "commands": [[list(path), line] for path, line in commands.items()]}
    try:
        write_whole(_cache_path(), json.dumps(content).encode())
    except StorageError:
        return  # only slower the next time
