"""Plug-ins: finding them, keeping broken ones apart, listing what they bring."""

from latentfu.registry.plugins import PluginStatus
from latentfu.registry.registry import Registry, get_registry, pick, use_registry

__all__ = ["PluginStatus", "Registry", "get_registry", "pick", "use_registry"]
