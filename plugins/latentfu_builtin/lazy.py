"""Things named by ``"module:name"``, imported when they are used first.

A plug-in's module is read by every command, so it names what it brings instead of importing it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def import_name(target: str) -> Any:
    """The object that ``"module:name"`` names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def later(target: str) -> Callable[[], Any]:
    """A function that gives the object itself: what loads a command."""
    return lambda: import_name(target)


def call_later(target: str) -> Callable[..., Any]:
    """A function that calls the one which ``target`` names."""

    def call(*arguments: Any, **named: Any) -> Any:
        return import_name(target)(*arguments, **named)

    return call
