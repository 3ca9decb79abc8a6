"""Which hooks a plug-in has, read from its text: nothing of it is imported or run."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from latentfu import hookspecs as hooks
from latentfu.plugin_manager.sources import LARGEST_TEXT, Source


def read_hooks(source: Source) -> tuple[str, ...]:
    """The kinds that a plug-in has a hook for, in the order of ``latentfu.hookspecs.KINDS``.

    Functions of its module marked with ``hookimpl`` count, and those of other modules that it
    imports by name. What it makes otherwise (a class with hooks, ``import *``) is not seen; empty
    where the module cannot be found or read.
    """
    path = source.file or _find_module(source.module)
    try:
        if path is None or path.stat().st_size > LARGEST_TEXT:
            return ()
        names = set(_hooks_in(ast.parse(path.read_bytes())))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(kind.name for kind in hooks.KINDS.values() if kind.hook in names)


def _find_module(name: str) -> Path | None:
    """The file of a module. Python's own search imports the packages that it lies in; this not."""
    top, *inner = name.split(".")
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(top) if top else None
        for place in range(len(inner)):
            if spec is None or spec.submodule_search_locations is None:
                return None
            full = ".".join([top, *inner[: place + 1]])
            spec = PathFinder.find_spec(full, list(spec.submodule_search_locations))
    except (ImportError, ValueError, AttributeError):
        return None
    is_text = spec is not None and spec.origin is not None and spec.origin.endswith(".py")
    return Path(spec.origin) if is_text and spec and spec.origin else None


def _hooks_in(module: ast.Module) -> Iterator[str]:
    """Names of hooks that are marked or imported at the top of a module."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and any(map(_is_mark, node.decorator_list)):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (name.asname or name.name for name in node.names)


def _is_mark(decorator: ast.expr) -> bool:
    """``hookimpl`` or ``latentfu.hookimpl``, with or without brackets."""
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")) == (
        "hookimpl"
    )
