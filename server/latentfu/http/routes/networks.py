"""Networks: what is installed, what can be had, and away with one. They are installed by jobs."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.http.messages import reply
from latentfu.http.openapi import Endpoint
from latentfu.http.state import STATE
from latentfu.plugin_manager.default_choice import default_first
from latentfu.protocol.errors import ConflictError
from latentfu.protocol.network_replies import NetworkReply, NetworksReply, RemovedReply
from latentfu.protocol.requests import InstallRequest


async def list_all_networks(request: web.Request) -> web.Response:
    """Those that are installed come first, the default before the others."""
    rows = await request.app[STATE].service.installer.list_networks()
    installed = {one["generator"]: one for one in rows if one["is_installed"]}
    ordered = list((await asyncio.to_thread(default_first, installed)).values())
    jobs = {name: key.rpartition(".")[2] for name, key in _installations(request).items()}
    found = [
        NetworkReply.model_validate(
            {**one, "is_default": one in ordered[:1], "job": jobs.get(one["name"])}
        )
        for one in [*ordered, *(one for one in rows if not one["is_installed"])]
    ]
    return reply(NetworksReply(networks=found))


async def delete_network(request: web.Request) -> web.Response:
    """What it brought goes, or what came of a paused download; what was made for it stays."""
    name = request.match_info["name"]
    if name in _installations(request):
        raise ConflictError(f"{name} is being installed: cancel that job first.")
    message = await request.app[STATE].service.installer.remove(name)
    return reply(RemovedReply(network=name, message=message))


async def check_installation(request: web.Request, job_id: str, wanted: InstallRequest) -> None:
    """Refuse what cannot be had, terms that nobody agreed to, and a second job for the same."""
    rows = await request.app[STATE].service.installer.list_networks()
    known = {one["name"]: one for one in rows if one["kind"] in ("bundle", "network")}
    if wanted.network not in known:
        raise NotInstalledError(
            f"There is no network {wanted.network!r} to install: GET /v1/networks lists them."
        )
    if not wanted.agreed and not known[wanted.network]["is_agreed"]:
        raise BadInputError(
            f"The terms of {wanted.network} are new: show them, and send agreed as true if the "
            f"person agrees ({_say_terms(known[wanted.network])})."
        )
    other = _installations(request).get(wanted.network, job_id)
    if other != job_id:
        told = other.rpartition(".")[2]
        raise ConflictError(f"{wanted.network} is being installed already, by the job {told}.")


def _say_terms(network: dict[str, Any]) -> str:
    said = [
        f"{each['covers']}: {each['licence']}"
        + (", non-commercial use only" if each["non_commercial"] else "")
        for each in network["terms"]
    ]
    return "; ".join(said)


def _installations(request: web.Request) -> dict[str, str]:
    """The key of the job of each network that is being installed, or waits for it."""
    jobs = request.app[STATE].service.queue.unfinished()
    return {str(job.body["network"]): job.id for job in jobs if job.lane == "install"}


ROUTES = (
    Endpoint(
        "GET",
        "/v1/networks",
        "Networks: what is installed, and what can be",
        list_all_networks,
        NetworksReply,
        errors=(503,),
        role="edit",
    ),
    Endpoint(
        "DELETE",
        "/v1/networks/{name}",
        "Remove a network",
        delete_network,
        RemovedReply,
        errors=(400, 404, 409, 503, 507),
    ),
)
