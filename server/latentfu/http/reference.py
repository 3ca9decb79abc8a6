"""The reference page of the HTTP interface: routes, requests and replies as Markdown tables.

``python -m latentfu.http.reference`` prints it; it is made from the routes and the models that
check the requests, so that it cannot say anything else than the server does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from latentfu.http.openapi import Endpoint
from latentfu.http.serve import ROUTES
from latentfu.protocol.errors import STATUS
from latentfu.protocol.model import NAME_PATTERN, SHA256_PATTERN, UUID_PATTERN
from latentfu.protocol.network_replies import InstalledReply
from latentfu.protocol.owner_requests import (
    DefaultGeneratorRequest,
    DrainRequest,
    IdleStopRequest,
    PluginStateRequest,
    SettingRequest,
)
from latentfu.protocol.replies import ErrorReply, MadeReply, Reply, ReportReply
from latentfu.protocol.requests import (
    EditRequest,
    InstallRequest,
    InvertRequest,
    MakeRequest,
    MixRequest,
    PreviewRequest,
    TransferRequest,
)

REQUESTS: tuple[type[BaseModel], ...] = (
    EditRequest,
    MixRequest,
    TransferRequest,
    InvertRequest,
    PreviewRequest,
    SettingRequest,
    IdleStopRequest,
    DefaultGeneratorRequest,
    DrainRequest,
    MakeRequest,
    InstallRequest,
    PluginStateRequest,
)


def _with_parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, each before those that it holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _with_parts(field.annotation)
    for part in get_args(annotation):
        yield from _with_parts(part)


def _list_replies() -> tuple[type[BaseModel], ...]:
    """What the routes answer; then a job's report, and errors."""
    reports = (ReportReply, MadeReply, InstalledReply)
    models = (*(route.reply for route in ROUTES), *reports, ErrorReply)
    return tuple(dict.fromkeys(found for model in models for found in _with_parts(model)))


REPLIES = _list_replies()
_PATTERNS = {
    SHA256_PATTERN: "64 hex digits",
    UUID_PATTERN: "a UUID in lower case",
    NAME_PATTERN: "1 to 100 characters",
}


def render_page() -> str:
    """The whole page."""
    parts = [
        "# HTTP: requests and replies",
        "Printed by `python -m latentfu.http.reference` from the models that check the requests. "
        "How to find the server, pixel bodies and what the routes do: "
        "[http-api.md](http-api.md).",
        "## Routes",
        _render_routes(ROUTES),
        "## Errors",
        _table(("code", "status"), [(f"`{code}`", str(status)) for code, status in STATUS.items()])
        + "\n\nEvery other code has the status 500.",
        "## Requests",
        *(_render_model(model) for model in REQUESTS),
        "## Replies",
        *(_render_model(model) for model in REPLIES),
    ]
    return "\n\n".join(parts) + "\n"


def _render_routes(routes: Sequence[Endpoint]) -> str:
    """A table of what is answered where."""
    rows = [
        (
            f"`{route.method} {route.path}`",
            route.summary,
            _describe_body(route.request),
            _describe_body(route.reply),
            "administer" if route.role == "administer" else "",
        )
        for route in routes
    ]
    told = "Of a shared server's users, only administrators may ask what says so."
    table = _table(("request", "what", "takes", "answers", "role"), rows)
    return f"{told}\n\n{table}"


def _render_model(model: type[BaseModel]) -> str:
    """A model as a heading, its sentence and a table of its fields."""
    is_reply = issubclass(model, Reply)
    schema = model.model_json_schema(mode="serialization" if is_reply else "validation")
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`",
            _describe_type(field),
            "needed" if name in required else _describe_default(field),
            _describe_limits(field),
            field.get("description", ""),
        )
        for name, field in schema["properties"].items()
    ]
    table = _table(("field", "type", "default", "limits", "what"), rows)
    return f"### {model.__name__}\n\n{(model.__doc__ or '').strip()}\n\n{table}"


def _describe_type(field: dict[str, Any]) -> str:
    """The type of a field of a JSON schema, in words of JSON."""
    values = field.get("additionalProperties") or next(
        iter(field.get("patternProperties", {}).values()), None
    )
    match field:
        case {"$ref": reference}:
            words = str(reference).rsplit("/", 1)[-1]
        case {"const": value}:
            words = f'"{value}"'
        case {"enum": choices}:
            words = " or ".join(f'"{value}"' for value in choices)
        case {"anyOf": choices}:
            words = " or ".join(dict.fromkeys(_describe_type(choice) for choice in choices))
        case {"prefixItems": items}:
            words = f"[{', '.join(_describe_type(item) for item in items)}]"
        case {"items": item}:
            words = f"list of {_describe_type(item)}"
        case _ if isinstance(values, dict):
            words = f"object: name to {_describe_type(values)}"
        case _:
            words = str(field.get("type", "any"))
    return words


def _describe_limits(field: dict[str, Any]) -> str:
    """The limits of the numbers, texts and names in a field, empty for none."""
    found: dict[str, None] = {}
    for part in _walk(field):
        if "minimum" in part and "maximum" in part:
            found[f"{part['minimum']:g} to {part['maximum']:g}"] = None
        if part.get("pattern") in _PATTERNS:
            found[_PATTERNS[part["pattern"]]] = None
        if "maxProperties" in part:
            found[f"at most {part['maxProperties']} names"] = None
    return ", ".join(found)


def _walk(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A field's schema and all schemas inside it."""
    yield field
    inner = [*field.get("anyOf", ()), *field.get("prefixItems", ())]
    inner += field.get("patternProperties", {}).values()
    inner += [field[key] for key in ("items", "additionalProperties") if key in field]
    for part in inner:
        if isinstance(part, dict):
            yield from _walk(part)


def _describe_default(field: dict[str, Any]) -> str:
    match field.get("default", ...):
        case missing if missing is ...:
            return "empty"
        case float(number):
            return f"{number:g}"
        case value:
            return json.dumps(value)


def _describe_body(body: Any) -> str:
    match body:
        case None:
            return "-"
        case "pixels":
            return "a pixel body or a PNG"
        case "events":
            return "lines of [JobReply](#jobreply)"
        case "openapi" | "metrics":
            return {"openapi": "OpenAPI 3.1", "metrics": "text"}[str(body)]
        case type():
            return f"[{body.__name__}](#{body.__name__.lower()})"
    names = [model.__name__ for model in REQUESTS[:3]]
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    """Print the page."""
    print(render_page(), end="")


if __name__ == "__main__":
    main()
