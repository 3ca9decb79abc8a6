"""Health, what is installed, and the end of the server."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

import latentfu
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.http.drain import count_left, start_drain
from latentfu.http.messages import read_json, reply
from latentfu.http.openapi import Endpoint
from latentfu.http.state import STATE
from latentfu.plugin_manager.default_choice import (
    check_generator_name,
    default_first,
    keep_default_generator,
    read_default_generator,
)
from latentfu.plugin_manager.sources import disabled_names
from latentfu.protocol.owner_requests import (
    DefaultGeneratorRequest,
    DrainRequest,
    IdleStopRequest,
)
from latentfu.protocol.replies import (
    AlignersReply,
    AttributeReply,
    ControlsReply,
    DefaultGeneratorReply,
    DrainReply,
    GeneratorsReply,
    HealthReply,
    IdleStopReply,
    InvertersReply,
    MakersReply,
    PluginsReply,
    ProofReply,
    ShutdownReply,
    WorkerReply,
    mark_default,
)
from latentfu.protocol.server_address import PROOF_PATH, is_nonce, make_proof
from latentfu.storage.settings import write_idle_minutes

_IDLE_STOP = TypeAdapter(IdleStopRequest)
_DRAIN = TypeAdapter(DrainRequest)
_DEFAULT = TypeAdapter(DefaultGeneratorRequest)


async def health(request: web.Request) -> web.Response:
    """Answers before the worker has started."""
    state = request.app[STATE]
    workers = [WorkerReply.model_validate(worker) for worker in state.service.workers]
    return reply(
        HealthReply(
            status="ok",
            version=latentfu.__version__,
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - state.started, 3),
            worker=workers[0],
            workers=workers,
            idle_stop_minutes=state.idle_s / 60.0,
            draining=state.service.queue.is_draining,
        )
    )


async def proof(request: web.Request) -> web.Response:
    """Answered without the token: a client asks before it sends it."""
    nonce = request.query.get("nonce", "")
    if not is_nonce(nonce):
        raise BadInputError("The nonce must be 32 to 128 hex digits in lower case.")
    port = 0 if request.transport is None else request.transport.get_extra_info("sockname")[1]
    return reply(ProofReply(proof=make_proof(request.app[STATE].token, nonce, port)))


async def show_plugins(request: web.Request) -> web.Response:
    """What was found, where it came from and whether it is used."""
    catalog = await request.app[STATE].service.catalog()
    off = await asyncio.to_thread(disabled_names)
    rows = [_as_switched(one, one["name"] in off) for one in catalog.get("plugins", [])]
    return reply(PluginsReply.model_validate_json(json.dumps({"plugins": rows})))


def _as_switched(plugin: dict[str, Any], is_off: bool) -> dict[str, Any]:
    """A plug-in as it is from the next work on: the worker may not have taken note yet."""
    if is_off:
        return {**plugin, "state": "disabled", "reason": None}
    return {**plugin, "state": "ok"} if plugin["state"] == "disabled" else plugin


async def show_generators(request: web.Request) -> web.Response:
    """The default first."""
    found = await asyncio.to_thread(default_first, await _generators(request))
    rows = mark_default(list(found.values()))
    return reply(GeneratorsReply.model_validate_json(json.dumps({"generators": rows})))


async def show_default_generator(request: web.Request) -> web.Response:
    """What is used now, and what was chosen."""
    return await _default_reply(request)


async def put_default_generator(request: web.Request) -> web.Response:
    """It counts from the next request on, in all programs."""
    wanted = await read_json(request, _DEFAULT)
    if wanted.generator is not None:
        check_generator_name(wanted.generator, await _generators(request))
    await asyncio.to_thread(keep_default_generator, wanted.generator)
    return await _default_reply(request)


async def _default_reply(request: web.Request) -> web.Response:
    chosen = await asyncio.to_thread(read_default_generator)
    found = default_first(await _generators(request))
    return reply(DefaultGeneratorReply(generator=next(iter(found), None), chosen=chosen or None))


async def _generators(request: web.Request) -> dict[str, dict[str, Any]]:
    catalog = await request.app[STATE].service.catalog()
    return {each["name"]: each for each in catalog.get("generators", [])}


async def show_inverters(request: web.Request) -> web.Response:
    """For a generator those that fit it first, and why the others do not; that opens it."""
    name = request.query.get("generator")
    if not name:
        return await _part(request, InvertersReply, "inverters")
    check_generator_name(name, await _generators(request))
    found = await request.app[STATE].service.first_worker.list_inverters(name)
    return reply(InvertersReply.model_validate_json(json.dumps({"inverters": found})))


async def show_makers(request: web.Request) -> web.Response:
    """Of the generator asked for, or of the default one."""
    catalog = await request.app[STATE].service.catalog()
    generators = await asyncio.to_thread(default_first, await _generators(request))
    name = request.query.get("generator") or next(iter(generators), "")
    check_generator_name(name, generators)
    attributes: dict[str, AttributeReply] = {}
    for scorer in catalog.get("scorers", []):
        if scorer["domain"] == generators[name]["domain"]:
            for each in scorer["attributes"]:
                attributes.setdefault(each, AttributeReply(name=each, scorer=scorer["name"]))
    makers = catalog.get("makers", [])
    return reply(MakersReply(generator=name, makers=makers, attributes=list(attributes.values())))


async def show_aligners(request: web.Request) -> web.Response:
    """What a request's aligner can be."""
    return await _part(request, AlignersReply, "aligners")


async def show_controls(request: web.Request) -> web.Response:
    """Of the generator asked for, or of the default one."""
    catalog = await request.app[STATE].service.catalog()
    tables = await asyncio.to_thread(default_first, catalog["controls"])
    name = request.query.get("generator") or next(iter(tables), "")
    if name not in tables:
        known = ", ".join(tables) or "none"
        raise NotInstalledError(f"There is no generator of that name; installed: {known}.")
    return reply(
        ControlsReply.model_validate_json(json.dumps({"generator": name, "controls": tables[name]}))
    )


async def put_idle_stop(request: web.Request) -> web.Response:
    """It counts at once, and for the next servers that GIMP starts."""
    wanted = await read_json(request, _IDLE_STOP)
    await asyncio.to_thread(write_idle_minutes, wanted.minutes)
    request.app[STATE].idle_s = 60.0 * wanted.minutes
    return reply(IdleStopReply(minutes=wanted.minutes))


async def drain(request: web.Request) -> web.Response:
    """Asked again it tells what is left."""
    wanted = await read_json(request, _DRAIN)
    state = request.app[STATE]
    start_drain(state, keep_waiting=wanted.waiting == "keep")
    return reply(DrainReply(status="draining", left=count_left(state)))


async def shutdown(request: web.Request) -> web.Response:
    """The answer goes out first."""
    request.app[STATE].stop.set()
    return reply(ShutdownReply(status="stopping"))


async def _part(request: web.Request, model: type[BaseModel], key: str) -> web.Response:
    catalog = await request.app[STATE].service.catalog()
    return reply(model.model_validate_json(json.dumps({key: catalog.get(key, [])})))


ROUTES = (
    Endpoint("GET", "/v1/health", "That the server is there", health, HealthReply, role="edit"),
    Endpoint(
        "GET",
        PROOF_PATH,
        "That the server has the token, shown to whoever asks",
        proof,
        ProofReply,
        query=("nonce",),
        errors=(400,),
    ),
    Endpoint(
        "GET",
        "/v1/plugins",
        "The plug-ins and their state",
        show_plugins,
        PluginsReply,
        errors=(503,),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/generators",
        "Generators",
        show_generators,
        GeneratorsReply,
        errors=(503,),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/default-generator",
        "The network that works where none is named",
        show_default_generator,
        DefaultGeneratorReply,
        errors=(503,),
        role="edit",
    ),
    Endpoint(
        "PUT",
        "/v1/default-generator",
        "Choose the network that works where none is named",
        put_default_generator,
        DefaultGeneratorReply,
        request=DefaultGeneratorRequest,
        errors=(400, 404, 408, 413, 415, 503, 507),
    ),
    Endpoint(
        "GET",
        "/v1/inverters",
        "Inversion methods",
        show_inverters,
        InvertersReply,
        query=("generator",),
        errors=(404, 503),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/makers",
        "What directions can be made by, and of",
        show_makers,
        MakersReply,
        query=("generator",),
        errors=(404, 503),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/aligners",
        "Ways to find the crop",
        show_aligners,
        AlignersReply,
        errors=(503,),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/controls",
        "The sliders of a generator",
        show_controls,
        ControlsReply,
        query=("generator",),
        errors=(404, 503),
        role="edit",
    ),
    Endpoint(
        "PUT",
        "/v1/idle-stop",
        "When a server that nobody uses ends",
        put_idle_stop,
        IdleStopReply,
        request=_IDLE_STOP,
        errors=(400, 408, 413, 415, 507),
    ),
    Endpoint(
        "POST",
        "/v1/drain",
        "Finish the work, take no more, and stop",
        drain,
        DrainReply,
        request=DrainRequest,
        errors=(400, 408, 413, 415),
    ),
    Endpoint("POST", "/v1/shutdown", "Stop the server", shutdown, ShutdownReply),
)
