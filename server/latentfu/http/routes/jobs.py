"""Jobs: put, follow, cancel, fetch."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import aclosing

from aiohttp import web
from pydantic import TypeAdapter

from latentfu.core.errors import BadInputError
from latentfu.http.body import read_json
from latentfu.http.responses import job_reply, pixel_reply, reply, wants_png
from latentfu.http.route import Route
from latentfu.http.state import FRONT
from latentfu.jobs.errors import NotFoundError
from latentfu.jobs.job import Job
from latentfu.protocol.schemas import UUID_PATTERN, JobReply, JobRequest, JobsReply

_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)
_UUID = re.compile(UUID_PATTERN.strip("^$"))


def uuid_in(request: web.Request, key: str) -> str:
    """An id from the path; raises BadInputError unless it is a UUID in lower case."""
    value = request.match_info[key]
    if not _UUID.fullmatch(value):
        raise BadInputError(f"The {key} in the address must be a UUID in lower case.")
    return value


def check_layers(request: web.Request, body: Mapping[str, object]) -> None:
    """Refuse work on layers that were not sent."""
    layers = request.app[FRONT].shop.layers
    for key in ("layer", "mask", "source"):
        name = body.get(key)
        if name is not None and not layers.has(str(name)):
            raise NotFoundError(f"The {key} is not here: send it first with PUT /v1/layers/.")


async def put_job(request: web.Request) -> web.Response:
    """A repeated request is the same job."""
    job_id = uuid_in(request, "id")
    wanted = await read_json(request, _REQUEST)
    body = wanted.model_dump(mode="json", exclude={"kind"})
    check_layers(request, body)
    job = Job(id=job_id, kind=wanted.kind, body=body, created=time.time())
    job, new = await request.app[FRONT].shop.board.put(job)
    return reply(job_reply(job), 201 if new else 200)


async def list_jobs(request: web.Request) -> web.Response:
    """The newest first."""
    jobs = await request.app[FRONT].shop.board.newest()
    return reply(JobsReply(jobs=[job_reply(job) for job in jobs]))


async def get_job(request: web.Request) -> web.Response:
    """Asking counts as listening for a moment."""
    return reply(job_reply(await request.app[FRONT].shop.board.get(uuid_in(request, "id"))))


async def cancel_job(request: web.Request) -> web.Response:
    """One that has ended stays as it is."""
    return reply(job_reply(await request.app[FRONT].shop.board.cancel(uuid_in(request, "id"))))


async def follow_job(request: web.Request) -> web.StreamResponse:
    """One line of JSON per change; an empty line keeps the connection alive."""
    shop = request.app[FRONT].shop
    job_id = uuid_in(request, "id")
    await shop.board.get(job_id)
    response = web.StreamResponse()
    response.content_type = "application/x-ndjson"
    await response.prepare(request)
    async with aclosing(shop.board.follow(job_id, shop.limits.keep_alive_s)) as changes:
        async for job in changes:
            line = "" if job is None else job_reply(job).model_dump_json()
            await response.write(line.encode() + b"\n")
    await response.write_eof()
    return response


async def get_result(request: web.Request) -> web.StreamResponse:
    """From disk, as it was written; or as PNG."""
    board = request.app[FRONT].shop.board
    job = await board.get(uuid_in(request, "id"))
    path = board.result_path(job.id)
    if job.state != "done" or not path.is_file():
        raise NotFoundError(f"There is no result: the job is {job.state}.")
    if wants_png(request):
        return await pixel_reply(request, await asyncio.to_thread(path.read_bytes))
    response = web.FileResponse(path)
    response.content_type = "application/octet-stream"
    return response


ROUTES = (
    Route(
        "PUT",
        "/v1/jobs/{id}",
        "Put a job into the queue",
        put_job,
        JobReply,
        request=JobRequest,
        statuses=(200, 201),
        errors=(400, 404, 408, 409, 413, 415, 429, 507),
    ),
    Route("GET", "/v1/jobs", "The newest 100 jobs, newest first", list_jobs, JobsReply),
    Route("GET", "/v1/jobs/{id}", "A job", get_job, JobReply, errors=(400, 404)),
    Route(
        "GET",
        "/v1/jobs/{id}/events",
        "A job at every change",
        follow_job,
        "events",
        errors=(400, 404),
    ),
    Route("DELETE", "/v1/jobs/{id}", "Cancel a job", cancel_job, JobReply, errors=(400, 404)),
    Route(
        "GET", "/v1/jobs/{id}/result", "The edited layer", get_result, "pixels", errors=(400, 404)
    ),
)
