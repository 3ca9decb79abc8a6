"""Plug-ins: finding them, keeping broken ones apart, listing what they bring."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_WHERE = {
    "PluginStatus": "latentfu.plugin_manager.plugin",
    "Registry": "latentfu.plugin_manager.registry",
    "get_registry": "latentfu.plugin_manager.registry",
    "pick": "latentfu.plugin_manager.registry",
    "use_registry": "latentfu.plugin_manager.registry",
}

__all__ = ["PluginStatus", "Registry", "get_registry", "pick", "use_registry"]

if TYPE_CHECKING:
    from latentfu.plugin_manager.plugin import PluginStatus
    from latentfu.plugin_manager.registry import Registry, get_registry, pick, use_registry


def __getattr__(name: str) -> object:
    """Names are loaded when used: ``latentfu --help`` looks at sources only, without pluggy."""
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'latentfu.plugin_manager' has no attribute {name!r}")
