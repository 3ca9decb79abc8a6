"""Replies from schemas and from pixel bodies."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import BaseModel

from latentfu.jobs.job import Job
from latentfu.protocol.pixels import PixelHeader, unpack
from latentfu.protocol.png import write_png
from latentfu.protocol.schemas import Failure, JobReply


def reply(model: BaseModel, status: int = 200) -> web.Response:
    """``model`` as JSON."""
    return web.Response(
        text=model.model_dump_json(), status=status, content_type="application/json"
    )


def job_reply(job: Job) -> JobReply:
    """The job as it goes over the wire."""
    error = Failure(code=job.error.code, message=job.error.message) if job.error else None
    return JobReply.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "state": job.state,
            "fraction": job.fraction,
            "message": job.message,
            "error": error,
            "report": dict(job.report) if job.report is not None else None,
            "attempts": job.attempts,
            "created": job.created,
        }
    )


def wants_png(request: web.Request) -> bool:
    """Whether the client asked for a PNG file instead of a pixel body."""
    return "image/png" in request.headers.get("Accept", "").lower()


async def pixel_reply(request: web.Request, body: bytes) -> web.Response:
    """A pixel body, or the same picture as PNG."""
    if wants_png(request):
        png = await asyncio.to_thread(lambda: write_png(*_parts(body)))
        return web.Response(body=png, content_type="image/png")
    return web.Response(body=body, content_type="application/octet-stream")


def _parts(body: bytes) -> tuple[PixelHeader, bytes]:
    header, pixels = unpack(body)
    return header, bytes(pixels)
