"""Running a job on the server and asking for previews: what is sent, and waiting for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .client import Client
from .errors import CancelledError, PluginError, ServerGoneError
from .wire import Picture, read_picture

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Work:
    """What shall be done with a layer: an edit, or a mix when ``source`` is there.

    The fields are those of the server's requests (latentfu.protocol.requests). ``generator`` and
    ``inverter``: names, or empty for the server's default. ``feather``: width of the soft border
    in layer pixels. ``layers``: first and last layer of a mix. ``extra``: any other fields of the
    request by name (targets, only, truncation, identity, quality, face, ...).
    """

    layer: Picture
    mask: Picture | None = None
    generator: str = ""
    inverter: str = ""
    edits: dict[str, float] = field(default_factory=dict)
    feather: float = 12.0
    source: Picture | None = None
    layers: tuple[int, int] = (0, 0)
    extra: dict[str, Any] = field(default_factory=dict)

    def with_edits(self, edits: dict[str, float]) -> Work:
        """The same with other strengths."""
        return replace(self, edits=edits)


@dataclass(frozen=True)
class Result:
    """The finished layer and the server's report on it."""

    picture: Picture
    report: dict[str, Any]


def tell_fit(report: dict[str, Any]) -> str:
    """What a person must know of a report: a poor fit, what to do, that nothing changed.

    Empty if there is nothing to say, as in reports of older servers.
    """
    parts = [report.get(name) for name in ("warning", "advice", "unchanged")]
    return " ".join(str(part) for part in parts if part)


def run(client: Client, work: Work, report: Report) -> Result:
    """Do ``work`` and wait for it; raises PluginError in one sentence."""
    document = send_request(client, work, "mix" if work.source else "edit")
    job, last = _follow(client, document, report)
    picture = client.result(job)
    wanted = (work.layer.width, work.layer.height, work.layer.channels)
    if (picture.width, picture.height, picture.channels) != wanted:
        raise ServerGoneError(
            "The Latent-Fu server answered with a picture of another size: stop it and try again."
        )
    return Result(picture, last.get("report") or {})


def prepare(client: Client, work: Work, report: Report) -> dict[str, Any]:
    """Invert the layer so that previews are quick; the report, or raises PluginError."""
    document = send_request(client, work, "invert")
    return _follow(client, document, report)[1].get("report") or {}


def preview(client: Client, work: Work, session: str, side: int, quick: int = 0) -> Picture:
    """The edited layer with its longest side at most ``side``.

    ``quick``: 0 exactly, else from a picture so many times smaller than the network's.
    """
    document = {**send_request(client, work, "preview"), "side": side, "quick": quick}
    return read_picture(client.put(f"/v1/previews/{session}", document))


def send_request(client: Client, work: Work, kind: str) -> dict[str, Any]:
    """The JSON of a request of that kind, after bringing its pictures to the server."""
    document: dict[str, Any] = {
        "layer": client.send_picture(work.layer),
        "mask": client.send_picture(work.mask) if work.mask else None,
        "generator": work.generator or None,
        "inverter": work.inverter or None,
        "feather": work.feather,
        "interactive": True,
    }
    if kind != "preview":
        document["kind"] = kind
    if kind in ("edit", "preview"):
        document["edits"] = work.edits
    if kind == "mix" and work.source:
        document["source"] = client.send_picture(work.source)
        document["layers"] = list(work.layers)
    common = _PLACE_AND_METHOD if kind in ("invert", "mix") else work.extra
    document.update({name: value for name, value in work.extra.items() if name in common})
    return document


_PLACE_AND_METHOD = (
    "aligner", "quality", "options", "face", "corners", "eyes", "mouth", "psi",
)  # fmt: skip
"""What of ``extra`` a request takes that moves no control."""


def _follow(client: Client, document: dict[str, Any], report: Report) -> tuple[str, dict[str, Any]]:
    job = str(uuid.uuid4())
    client.put(f"/v1/jobs/{job}", document)
    last: dict[str, Any] = {}
    try:
        for last in client.events(job):
            report(float(last.get("fraction") or 0.0), str(last.get("message") or ""))
    except CancelledError:
        _drop(client, job)
        raise
    if last.get("state") == "done":
        return job, last
    if last.get("state") == "failed":
        raise PluginError(_reason(last.get("error")))
    if last.get("state") == "cancelled":
        raise CancelledError
    raise ServerGoneError("The Latent-Fu server stopped in the middle of the work: try again.")


def _drop(client: Client, job: str) -> None:
    try:
        with client.another(timeout=2.0) as other:
            other.delete(f"/v1/jobs/{job}")
    except PluginError:
        pass  # The server drops the job by itself when nobody listens any more.


def _reason(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message")
    return str(error or "The work failed for a reason that the server did not give: try again.")
