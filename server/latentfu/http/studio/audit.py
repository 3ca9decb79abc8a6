"""The audit log: who did what from where, and what came of it. Never a token, never pixels.

One line of JSON for each request that changes something or fetches a picture, and for each that was
refused; what is only looked at again and again (health, progress) is left out.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from latentfu.http.failures import LineBudget, shown_path
from latentfu.http.log_files import PrivateLog
from latentfu.http.state import NOTE, STATE, USER
from latentfu.http.studio.state import STUDIO, StudioState

_FILE_BYTES = 5 << 20
_FILES = 9
_MOST_SESSIONS = 1000
_FETCHES = ("/result", "/v1/latents/")
_REFUSALS = (401, 403, 429)
_strangers = LineBudget(lines=60)


def open_audit_log(folder: Path) -> logging.Logger:
    """``audit.log`` in ``folder``, which exists: 5 MB a file, ten files, its owner's alone."""
    log = logging.getLogger("latentfu.audit")
    log.propagate = False
    log.setLevel(logging.INFO)
    handler = PrivateLog(
        folder / "audit.log", maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    for old in log.handlers[:]:
        log.removeHandler(old)
    log.addHandler(handler)
    return log


@web.middleware
async def keep_audit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write down what a request came to; it stands outside all checks."""
    state, studio = request.app[STATE], request.app[STUDIO]
    status = 0
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        user = request.get(USER)
        state.counted[user.name if user else "", status] += 1
        line = _tell(request, status)
        if user is None:
            _strangers.write(studio.audit, "%s", line)
        elif _counts(request, studio, status):
            studio.audit.info("%s", line)


def _counts(request: web.Request, studio: StudioState, status: int) -> bool:
    """Whether it is worth a line; of a session of previews the first is."""
    if status in _REFUSALS:
        return True
    if request.path.startswith("/v1/previews/"):
        session = f"{request[USER].id}.{request.path}"
        is_new = session not in studio.sessions
        studio.sessions[session] = None
        while len(studio.sessions) > _MOST_SESSIONS:
            studio.sessions.popitem(last=False)
        return is_new
    if request.method in ("GET", "HEAD"):
        return status < 400 and any(part in request.path for part in _FETCHES)
    return True


def _tell(request: web.Request, status: int) -> str:
    user = request.get(USER)
    row = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "user": user.name if user else None,
        "id": user.id if user else None,
        "from": request.remote,
        "what": f"{request.method} {shown_path(request)}",
        "status": status or "broken off",
    }
    if NOTE in request:
        row["kind"] = request[NOTE]
    return json.dumps(row)
