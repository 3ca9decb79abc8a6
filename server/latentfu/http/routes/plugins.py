"""Settings of plug-ins, and the addresses that they answer themselves."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter

from latentfu.core.errors import NotInstalledError
from latentfu.core.setting import Setting
from latentfu.http.messages import read_json, reply
from latentfu.http.openapi import Endpoint
from latentfu.http.state import STATE
from latentfu.plugin_manager.switching import switch_plugin
from latentfu.protocol.owner_requests import PluginStateRequest, SettingRequest
from latentfu.protocol.replies import PluginStateReply, SettingReply, SettingsReply
from latentfu.storage.settings import describe_setting, reset_setting, write_setting

_BODY: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_VALUE = TypeAdapter(SettingRequest)
_STATE = TypeAdapter(PluginStateRequest)


async def settings(request: web.Request) -> web.Response:
    """With what they are now; of one plug-in if it is named."""
    wanted = request.query.get("plugin")
    found = [each for each in await _settings(request) if wanted in (None, each.plugin)]
    return reply(SettingsReply(settings=[describe_setting(each) for each in found]))


async def put_setting(request: web.Request) -> web.Response:
    """It counts from the plug-in's next work on."""
    setting = await _find(request)
    body = await read_json(request, _VALUE)
    await asyncio.to_thread(write_setting, setting, body.value)
    return reply(describe_setting(setting))


async def delete_setting(request: web.Request) -> web.Response:
    """The default counts again."""
    setting = await _find(request)
    await asyncio.to_thread(reset_setting, setting)
    return reply(describe_setting(setting))


async def put_plugin_state(request: web.Request) -> web.Response:
    """It counts with the next work; nothing is imported for it here."""
    name = request.match_info["name"]
    body = await read_json(request, _STATE)
    await asyncio.to_thread(switch_plugin, name, not body.enabled)
    return reply(PluginStateReply(name=name, is_enabled=body.enabled))


async def get_plugin_route(request: web.Request) -> web.Response:
    """What the plug-in says to a GET."""
    return await _answer(request, "GET", {})


async def post_plugin_route(request: web.Request) -> web.Response:
    """What the plug-in says to a POST with a JSON object."""
    return await _answer(request, "POST", await read_json(request, _BODY))


async def _answer(request: web.Request, method: str, body: dict[str, Any]) -> web.Response:
    service = request.app[STATE].service
    plugin, name = request.match_info["plugin"], request.match_info["name"]
    known = (await service.catalog()).get("routes", [])
    if {"plugin": plugin, "name": name, "method": method} not in known:
        raise NotInstalledError(f"No plug-in {plugin!r} answers {method} {name!r}.")
    found = await service.first_worker.answer_route(f"{plugin}.{name}", request.query, body)
    return web.json_response(found)


async def _settings(request: web.Request) -> list[Setting]:
    catalog = await request.app[STATE].service.catalog()
    return [
        Setting(**{**fields, "choices": tuple(fields["choices"])})
        for fields in catalog.get("settings", [])
    ]


async def _find(request: web.Request) -> Setting:
    plugin, name = request.match_info["plugin"], request.match_info["name"]
    for setting in await _settings(request):
        if (setting.plugin, setting.name) == (plugin, name):
            return setting
    raise NotInstalledError(f"There is no setting {name!r} of a plug-in {plugin!r}.")


ROUTES = (
    Endpoint(
        "GET",
        "/v1/settings",
        "Settings of plug-ins",
        settings,
        SettingsReply,
        query=("plugin",),
        errors=(503,),
    ),
    Endpoint(
        "PUT",
        "/v1/settings/{plugin}/{name}",
        "Change a setting",
        put_setting,
        SettingReply,
        request=SettingRequest,
        errors=(400, 404, 503, 507),
    ),
    Endpoint(
        "DELETE",
        "/v1/settings/{plugin}/{name}",
        "Take a setting back to its default",
        delete_setting,
        SettingReply,
        errors=(404, 503, 507),
    ),
    Endpoint(
        "PUT",
        "/v1/plugins/{name}",
        "Switch a plug-in on or off",
        put_plugin_state,
        PluginStateReply,
        request=PluginStateRequest,
        errors=(400, 404, 408, 413, 415, 507),
    ),
    Endpoint(
        "GET",
        "/v1/plugins/{plugin}/{name}",
        "Ask a plug-in",
        get_plugin_route,
        "openapi",
        errors=(400, 404, 503),
    ),
    Endpoint(
        "POST",
        "/v1/plugins/{plugin}/{name}",
        "Ask a plug-in, with a JSON object",
        post_plugin_route,
        "openapi",
        request=_BODY,
        errors=(400, 404, 413, 503),
    ),
)
