"""The settings of plug-ins as the server has them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from . import finder

SettingFacts = dict[str, Any]


def list_settings() -> list[SettingFacts]:
    """All settings, by plug-in; raises PluginError."""
    with finder.connect() as client:
        settings: list[SettingFacts] = client.get("/v1/settings")["settings"]
    return sorted(settings, key=lambda one: str(one["plugin"]))


def change_setting(plugin: str, name: str, value: bool | float | str) -> SettingFacts:
    """Set a setting, or take it back to its default where ``value`` is empty; it as it is now.

    Raises PluginError with the server's sentence where it does not take the value.
    """
    path = f"/v1/settings/{quote(plugin)}/{quote(name)}"
    with finder.connect() as client:
        told = client.delete(path) if value == "" else client.put(path, {"value": value})
    changed: SettingFacts = json.loads(told)
    return changed


def describe_settings() -> str:
    """A line for each, for scripts."""
    lines = [
        f"{one['plugin']} {one['name']}={json.dumps(one['value'])}"
        for one in list_settings()
        if one["widget"] != "secret"
    ]
    return "\n".join(lines)
