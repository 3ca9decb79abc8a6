"""The plug-ins' commands for ``--help``, remembered, so that help imports no plug-in.

What is remembered holds as long as the same plug-ins are installed in the same versions; calling
a command always asks the plug-ins themselves.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

import latentfu
from latentfu.core.errors import LatentFuError, StorageError
from latentfu.storage import paths

Paths = dict[tuple[str, ...], str]


def plugin_commands() -> Paths:
    """Paths and help lines of the plug-ins' commands; none if plug-ins can not be listed."""
    try:
        key = _fingerprint()
        remembered = _read(key)
        if remembered is not None:
            return remembered
        from latentfu.hookspecs import Command
        from latentfu.plugin_manager.registry import get_registry

        commands = get_registry().installed(Command).values()
    except LatentFuError as error:
        click.echo(f"Plug-ins are left out: {error}", err=True)
        return {}
    found = {command.path: command.help for command in commands}
    _remember(key, found)
    return found


def _memory() -> Path:
    return paths.cache_dir() / "commands.json"


def _fingerprint() -> str:
    """Changes when a plug-in comes, goes, is replaced, or is switched on or off."""
    from latentfu.plugin_manager.sources import all_sources, disabled_names, installed_stamps

    files = [(str(path), path.stat().st_mtime_ns) for path in sorted(paths.plugin_dir().glob("*"))]
    sources = [(source.name, source.origin, source.version) for source in all_sources()]
    state = (latentfu.__version__, sources, installed_stamps(), files, sorted(disabled_names()))
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _read(key: str) -> Paths | None:
    try:
        content = json.loads(_memory().read_text(encoding="utf-8"))
        if content["key"] != key:
            return None
        return {tuple(map(str, path)): str(line) for path, line in content["commands"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(key: str, commands: Paths) -> None:
    from latentfu.storage.atomic import write_whole

    content = {"key": key, "commands": [[list(path), line] for path, line in commands.items()]}
    try:
        write_whole(_memory(), json.dumps(content).encode())
    except StorageError:
        return  # only slower the next time
