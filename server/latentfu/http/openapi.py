"""Routes as objects, and the interface as OpenAPI 3.1 made from them and from the models."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from pydantic import TypeAdapter

import latentfu
from latentfu.protocol.model import NAME_PATTERN, SHA256_PATTERN, UUID_PATTERN
from latentfu.protocol.pixels import MAX_BODY_BYTES
from latentfu.protocol.replies import ErrorReply, JobReply, MadeReply, Reply, ReportReply
from latentfu.protocol.server_address import PROOF_PATH
from latentfu.storage.users import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ReplyKind = type[Any] | Literal["pixels", "latent", "events", "openapi", "metrics"] | None


@dataclass(frozen=True)
class Endpoint:
    """``request``: a schema, "pixels", "latent", or None for no body.

    ``query``: names of parameters.

    ``statuses``: what it answers beside the errors that every route can have.

    ``role``: who of a studio's users may ask it; a route that says nothing is for administrators.
    """

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    summary: str
    handler: Handler
    reply: ReplyKind
    request: Any = None
    query: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
    role: Role = "administer"


_ALWAYS = (401, 403)
_WITH_BODY = (400, 408, 413, 415)
"""What whoever sends a body may hear: it is wrong, too slow, too large, of another kind."""
_PATTERNS = {"sha256": SHA256_PATTERN, "plugin": NAME_PATTERN, "name": NAME_PATTERN}
"""What the parts of an address look like; ids of jobs are the rest."""
_REFS = "#/components/schemas/{model}"
_PIXELS: dict[str, Any] = {
    "type": "string",
    "format": "binary",
    "maxLength": MAX_BODY_BYTES,
    "description": "LFPX: 16 bytes of header (docs/reference/http-api.md), then pixels; or a PNG.",
}


_LATENT: dict[str, Any] = {
    "type": "string",
    "format": "binary",
    "description": "A safetensors file as latentfu invert writes it.",
}


_PLAIN = {"metrics": ("text/plain", "string"), "openapi": ("application/json", "object")}


def openapi_document(routes: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    for report in (ReportReply, MadeReply):
        _schema(report, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Latent-Fu", "version": latentfu.__version__},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "x-role": route.role,
        "parameters": _parameters(route),
        "responses": {
            str(status): {"description": "", **_content(route.reply, schemas)}
            for status in route.statuses
        },
    }
    if route.path == PROOF_PATH:
        operation["security"] = []
    with_body = _WITH_BODY if route.request is not None else ()
    for status in sorted({*_ALWAYS, *with_body, *route.errors}):
        error = {"schema": _schema(ErrorReply, schemas)}
        operation["responses"][str(status)] = {
            "description": "Refused or failed",
            "content": {"application/json": error},
        }
    if route.request is not None:
        operation["requestBody"] = {"required": True, **_request(route.request, schemas)}
    return operation


def _parameters(route: Endpoint) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {
                "type": "string",
                "pattern": _PATTERNS.get(name, UUID_PATTERN),
            },
        }
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    in_query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in route.query]
    return in_path + in_query


def _request(request: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if request == "pixels":
        return {"content": {"application/octet-stream": {"schema": _PIXELS}}}
    if request == "latent":
        return {"content": {"application/octet-stream": {"schema": _LATENT}}}
    return {"content": {"application/json": {"schema": _schema(request, schemas)}}}


def _content(reply: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    match reply:
        case None:
            return {}
        case "pixels":
            png = {"schema": {"type": "string", "format": "binary"}}
            pixels = {"schema": _PIXELS}
            return {"content": {"application/octet-stream": pixels, "image/png": png}}
        case "latent":
            return {"content": {"application/octet-stream": {"schema": _LATENT}}}
        case "events":
            line = {"schema": _schema(JobReply, schemas)}
            return {"content": {"application/x-ndjson": line}}
        case "metrics" | "openapi":
            kind, shape = _PLAIN[reply]
            return {"content": {kind: {"schema": {"type": shape}}}}
        case model:
            return {"content": {"application/json": {"schema": _schema(model, schemas)}}}


def _schema(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """A reference to ``model``, whose definition goes into ``schemas``."""
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    is_reply = isinstance(model, type) and issubclass(model, Reply)
    mode: Literal["serialization", "validation"] = "serialization" if is_reply else "validation"
    found = adapter.json_schema(ref_template=_REFS, mode=mode)
    schemas.update(found.pop("$defs", {}))
    name = getattr(model, "__name__", None)
    if name is None:
        return found
    schemas[name] = found
    return {"$ref": _REFS.format(model=name)}
