"""Jobs: put, follow, cancel, fetch. Previews: the newest of a session wins."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import replace

from aiohttp import web

from latentfu.core.errors import BadInputError
from latentfu.http.failures import error_reply
from latentfu.http.messages import pixel_reply, read_json, reply, wants_png
from latentfu.http.openapi import Endpoint
from latentfu.http.routes.networks import check_installation
from latentfu.http.state import NOTE, STATE, USER, is_still_welcome, own_key
from latentfu.jobs.store import Job
from latentfu.protocol.errors import ForbiddenError, NotFoundError
from latentfu.protocol.model import UUID_PATTERN
from latentfu.protocol.replies import JobReply, JobsReply
from latentfu.protocol.requests import (
    JOB_REQUEST,
    PREVIEW_REQUEST,
    InstallRequest,
    LayerRequest,
    MakeRequest,
    Option,
    PreviewRequest,
)

_UUID = re.compile(UUID_PATTERN.strip("^$"))
_WORDS = re.compile(r"(?:[\w+,:=-]|\.(?=\d)){0,200}")


def _key_in(request: web.Request, key: str) -> str:
    """An id from the path, made a key of whoever asks.

    Raises BadInputError unless it is a UUID in lower case.
    """
    value = request.match_info[key]
    if not _UUID.fullmatch(value):
        raise BadInputError(f"The {key} in the address must be a UUID in lower case.")
    return own_key(request, value)


def _tell(job: Job) -> JobReply:
    """A job as its owner sees it."""
    return JobReply.model_validate(replace(job, id=job.public_id))


def _check_request(request: web.Request, wanted: LayerRequest) -> None:
    """Refuse work on layers that were not sent, and options that could name a file here."""
    owner = request[USER].id
    layers = request.app[STATE].service.layers_of(owner)
    for key in ("layer", "mask", "source"):
        name = getattr(wanted, key, None)
        if name is not None and not layers.has(name):
            raise NotFoundError(f"The {key} is not here: send it first with PUT /v1/layers/.")
    for control, name in getattr(wanted, "exemplars", {}).items():
        if not layers.has(name):
            raise NotFoundError(
                f"The picture of {control} is not here: send it first with PUT /v1/layers/."
            )
    latents = request.app[STATE].service.latents_of(owner)
    if wanted.latent is not None and not latents.has(wanted.latent):
        raise NotFoundError("The latent is not here: bring it first with PUT /v1/latents/.")
    _check_options(wanted.options)


def _check_options(options: Mapping[str, Option]) -> None:
    for name, value in options.items():
        if isinstance(value, str) and not _WORDS.fullmatch(value):
            raise BadInputError(f"The option {name} cannot name a file here: give a plain word.")


async def put_job(request: web.Request) -> web.Response:
    """A repeated request is the same job."""
    job_id = _key_in(request, "id")
    wanted = await read_json(request, JOB_REQUEST)
    request[NOTE] = wanted.kind
    if isinstance(wanted, InstallRequest):
        if request[USER].role != "administer":
            raise ForbiddenError("Only an administrator of this server installs networks.")
        await check_installation(request, job_id, wanted)
    elif isinstance(wanted, MakeRequest):
        if request[USER].role != "administer":
            raise ForbiddenError("Only an administrator of this server makes directions.")
        _check_options(wanted.options)
    else:
        _check_request(request, wanted)
    body = wanted.to_wire()
    job = Job(id=job_id, kind=body.pop("kind"), body=body, created=time.time())
    job, new = await request.app[STATE].service.queue.put(job)
    return reply(_tell(job), 201 if new else 200)


async def list_jobs(request: web.Request) -> web.Response:
    """The newest first."""
    jobs = await request.app[STATE].service.queue.newest(request[USER].id)
    return reply(JobsReply(jobs=[_tell(job) for job in jobs]))


async def get_job(request: web.Request) -> web.Response:
    """Asking counts as listening for a moment."""
    return reply(_tell(await request.app[STATE].service.queue.get(_key_in(request, "id"))))


async def cancel_job(request: web.Request) -> web.Response:
    """One that has ended stays as it is."""
    return reply(_tell(await request.app[STATE].service.queue.cancel(_key_in(request, "id"))))


async def follow_job(request: web.Request) -> web.StreamResponse:
    """One line of JSON per change; an empty line keeps the connection alive."""
    service = request.app[STATE].service
    job_id = _key_in(request, "id")
    await service.queue.get(job_id)
    response = web.StreamResponse()
    response.content_type = "application/x-ndjson"
    await response.prepare(request)
    with suppress(ConnectionError):  # the listener has gone, as listeners do
        async with aclosing(service.queue.follow(job_id, service.limits.keep_alive_s)) as changes:
            async for job in changes:
                if not is_still_welcome(request):
                    break
                line = "" if job is None else _tell(job).model_dump_json()
                await response.write(line.encode() + b"\n")
        await response.write_eof()
    return response


async def get_result(request: web.Request) -> web.StreamResponse:
    """From disk, as it was written; or as PNG."""
    queue = request.app[STATE].service.queue
    job = await queue.get(_key_in(request, "id"))
    path = queue.result_path(job.id)
    # A link could show any file of the user: only what was written here is given out.
    if job.state != "done" or path.is_symlink() or not path.is_file():
        raise NotFoundError(f"There is no result: the job is {job.state}.")
    if wants_png(request):
        return await pixel_reply(request, await asyncio.to_thread(path.read_bytes))
    if not _range_fits(request, path.stat().st_size):
        refused = error_reply("bad_input", "The range lies beyond the result's end.", 416)
        refused.headers["Content-Range"] = f"bytes */{path.stat().st_size}"
        return refused
    response = web.FileResponse(path)
    response.content_type = "application/octet-stream"
    return response


def _range_fits(request: web.Request, size: int) -> bool:
    try:
        start = request.http_range.start
    except ValueError:
        return False
    return start is None or start < size


async def put_preview(request: web.Request) -> web.Response:
    """Waits for the picture, and drops the work when the client has gone."""
    session = _key_in(request, "session")
    wanted = await read_json(request, PREVIEW_REQUEST)
    _check_request(request, wanted)

    def is_wanted() -> bool:
        is_there = request.transport is not None and not request.transport.is_closing()
        return is_there and is_still_welcome(request)

    pixels = await request.app[STATE].service.previews.make(session, wanted.to_wire(), is_wanted)
    return await pixel_reply(request, pixels)


ROUTES = (
    Endpoint(
        "PUT",
        "/v1/jobs/{id}",
        "Put a job into the queue",
        put_job,
        JobReply,
        request=JOB_REQUEST,
        statuses=(200, 201),
        errors=(400, 404, 408, 409, 413, 415, 429, 503, 507),
        role="edit",
    ),
    Endpoint(
        "GET", "/v1/jobs", "The newest 100 jobs, newest first", list_jobs, JobsReply, role="edit"
    ),
    Endpoint("GET", "/v1/jobs/{id}", "A job", get_job, JobReply, errors=(400, 404), role="edit"),
    Endpoint(
        "GET",
        "/v1/jobs/{id}/events",
        "A job at every change",
        follow_job,
        "events",
        errors=(400, 404),
        role="edit",
    ),
    Endpoint(
        "DELETE",
        "/v1/jobs/{id}",
        "Cancel a job",
        cancel_job,
        JobReply,
        errors=(400, 404),
        role="edit",
    ),
    Endpoint(
        "GET",
        "/v1/jobs/{id}/result",
        "The edited layer",
        get_result,
        "pixels",
        errors=(400, 404),
        role="edit",
    ),
    Endpoint(
        "PUT",
        "/v1/previews/{session}",
        "A small picture of an edit",
        put_preview,
        "pixels",
        request=PreviewRequest,
        errors=(400, 404, 408, 409, 413, 415, 429, 503, 507),
        role="edit",
    ),
)
