"""``latentfu settings``: what can be chosen about plug-ins, from what is kept for the user."""

from __future__ import annotations

from typing import Any

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.errors import NotInstalledError
from latentfu.core.setting import Setting


@click.command("list")
@click.argument("plugin", required=False)
@json_option
def settings_list(plugin: str | None, as_json: bool) -> None:
    """List the settings of plug-ins (of PLUGIN alone) with what they are now."""
    from latentfu.plugin_manager import get_registry
    from latentfu.storage.settings import describe_setting

    found = get_registry().installed(Setting).values()
    told = [describe_setting(each) for each in found if plugin in (None, each.plugin)]
    if as_json:
        print_json({"settings": [each.model_dump(mode="json") for each in told]})
        return
    rows = [
        (each.plugin, each.name, _say(each), "" if each.is_set else "default", each.title)
        for each in told
    ]
    print_table(("plug-in", "name", "value", "", "what it is"), rows)


def _say(told: Any) -> str:
    if told.widget == "secret":
        return "(kept)" if told.is_set else "(none)"
    return str(told.value)


@click.command("set")
@click.argument("plugin")
@click.argument("name")
@click.argument("value")
@json_option
def settings_set(plugin: str, name: str, value: str, as_json: bool) -> None:
    """Set NAME of PLUGIN to VALUE; it counts at once, in a running server too."""
    from latentfu.storage.settings import describe_setting, write_setting

    setting = _find(plugin, name)
    write_setting(setting, value)
    _tell(describe_setting(setting), as_json)


@click.command("reset")
@click.argument("plugin")
@click.argument("name")
@json_option
def settings_reset(plugin: str, name: str, as_json: bool) -> None:
    """Take NAME of PLUGIN back to its default."""
    from latentfu.storage.settings import describe_setting, reset_setting

    setting = _find(plugin, name)
    reset_setting(setting)
    _tell(describe_setting(setting), as_json)


def _tell(told: Any, as_json: bool) -> None:
    if as_json:
        print_json(told.model_dump(mode="json"))
    else:
        click.echo(f"{told.name} of {told.plugin} is {_say(told)}.")


def _find(plugin: str, name: str) -> Setting:
    from latentfu.plugin_manager import get_registry

    found = get_registry().installed(Setting)
    if f"{plugin}.{name}" not in found:
        known = ", ".join(key.replace(".", " ", 1) for key in found) or "none"
        raise NotInstalledError(f"There is no setting {name!r} of {plugin!r}; there are: {known}.")
    return found[f"{plugin}.{name}"]
