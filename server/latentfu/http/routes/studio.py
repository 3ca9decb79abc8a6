"""What the administrator of a shared server watches: its users, and figures for a monitor."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aiohttp import web

from latentfu.http.messages import reply
from latentfu.http.openapi import Endpoint
from latentfu.http.state import STATE, AppState
from latentfu.jobs.store import JobState
from latentfu.protocol.user_replies import UserReply, UsersReply
from latentfu.storage.users import SERVER_OWNER, User

_STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")
_Labels = Mapping[str, str]


async def list_server_users(request: web.Request) -> web.Response:
    """Names and numbers; never a token, never what somebody works on."""
    state = request.app[STATE]
    counts = await state.service.queue.count_by_owner()
    users = await asyncio.to_thread(state.users.read)
    rows = [
        UserReply(
            name=user.name,
            role=user.role,
            created=user.created,
            waiting=counts.get((user.id, "queued"), 0),
            running=counts.get((user.id, "running"), 0),
            ended=sum(counts.get((user.id, each), 0) for each in _STATES[2:]),
            layer_bytes=await asyncio.to_thread(state.service.count_layer_bytes, user.id),
        )
        for user in users
    ]
    return reply(UsersReply(users=rows))


async def show_metrics(request: web.Request) -> web.Response:
    """The text format of Prometheus, version 0.0.4."""
    state = request.app[STATE]
    counts = await state.service.queue.count_by_owner()
    users = (SERVER_OWNER, *await asyncio.to_thread(state.users.read))
    text = "\n".join([*_tell_server(state), *_tell_users(state, users, counts), ""])
    answer = web.Response(text=text, content_type="text/plain", charset="utf-8")
    answer.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return answer


def _tell_server(state: AppState) -> Iterator[str]:
    uptime = time.monotonic() - state.started
    yield from _metric("latentfu_uptime_seconds", "Since the server started.", [({}, uptime)])
    front = [({"process": "front"}, float(_own_memory_bytes()))]
    for number, worker in enumerate(state.service.workers):
        front.append(({"process": f"worker-{number}"}, float(worker.memory_mb << 20)))
    yield from _metric("latentfu_memory_bytes", "Main memory of a process.", front)
    ready = [
        ({"worker": str(number), "device": worker.device}, float(worker.state in ("ready", "busy")))
        for number, worker in enumerate(state.service.workers)
    ]
    yield from _metric("latentfu_worker_ready", "1 if the worker takes work.", ready)
    draining = float(state.service.queue.is_draining)
    yield from _metric("latentfu_draining", "1 if no new work is taken.", [({}, draining)])


def _tell_users(
    state: AppState, users: Iterable[User], counts: Mapping[tuple[str, JobState], int]
) -> Iterator[str]:
    names = {user.id: user.name for user in users}
    jobs = [
        ({"user": names.get(owner, "revoked"), "state": each}, float(count))
        for (owner, each), count in counts.items()
    ]
    yield from _metric("latentfu_jobs", "Jobs that are kept, by user and state.", _added(jobs))
    asked = [
        ({"user": name or "nobody", "status": str(status)}, float(count))
        for (name, status), count in sorted(state.counted.items())
    ]
    yield from _metric(
        "latentfu_requests_total", "Requests of other machines, by user.", asked, "counter"
    )


def _added(rows: Iterable[tuple[_Labels, float]]) -> list[tuple[_Labels, float]]:
    """Rows of equal labels, several revoked users, as one."""
    found: dict[tuple[tuple[str, str], ...], float] = {}
    for labels, value in rows:
        key = tuple(labels.items())
        found[key] = found.get(key, 0.0) + value
    return [(dict(key), value) for key, value in found.items()]


def _metric(
    name: str, text: str, rows: Iterable[tuple[_Labels, float]], kind: str = "gauge"
) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in rows:
        inside = ",".join(f'{key}="{_escape(each)}"' for key, each in labels.items())
        yield f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _own_memory_bytes() -> int:
    """0 where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


ROUTES = (
    Endpoint("GET", "/v1/users", "The users of a shared server", list_server_users, UsersReply),
    Endpoint("GET", "/v1/metrics", "Figures for a monitor", show_metrics, "metrics"),
)
