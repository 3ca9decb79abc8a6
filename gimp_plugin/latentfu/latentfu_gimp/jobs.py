"""Running a job on the server and asking for previews: what is sent, and waiting for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .arguments import Edits, Options, is_picture, split_method
from .client import ServerClient
from .errors import NoPortraitError, PluginError, ServerGoneError, StoppedError
from .masks import square_around
from .sent_texts import translate_sent
from .translate import _, ngettext
from .wire import Change, Picture, read_picture

Report = Callable[[float, str], None]
LARGEST_LATENT = 4 << 20
"""A latent of more bytes is not kept on a layer."""


@dataclass(frozen=True)
class Work:
    """What shall be done with a layer: an edit, or a mix or transfer when ``source`` is there.

    The fields are those of the server's requests (latentfu.protocol.requests). ``generator`` and
    ``inverter``: names, or empty for the server's default; in place of a method's name also fast or
    faithful; ``options``: of the method. ``feather``: width of the soft border in layer pixels.
    ``layers``: first and last layer of a mix, unless it takes ``extra["regions"]``. ``along``,
    ``scale``: the directions of a transfer, and how far of the way. ``latent``: the kept inversion
    of the square in ``extra["corners"]``, empty to look for it. ``deep``: whether the result is
    asked for in 16 bits. ``apart``: whether selection and regions come as a mask beside the result,
    which is then of the edit without limits. ``extra``: any other fields of the request by name
    (targets, only, truncation, identity, quality, face, ...). ``pictures``: those that edits name,
    as they name them.
    """

    layer: Picture
    mask: Picture | None = None
    generator: str = ""
    inverter: str = ""
    edits: Edits = field(default_factory=dict)
    feather: float = 12.0
    source: Picture | None = None
    layers: tuple[int, int] = (0, 0)
    along: tuple[str, ...] = ()
    scale: float = 1.0
    latent: bytes = b""
    options: Options = field(default_factory=dict)
    deep: bool = False
    apart: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Of the request."""
        if self.source is None:
            return "edit"
        return "transfer" if self.along else "mix"

    @property
    def mixed_regions(self) -> list[str]:
        """The regions that a mix takes; empty for one of network layers."""
        regions = self.extra.get("regions") if self.kind == "mix" else None
        return list(regions) if isinstance(regions, (list, tuple)) else []

    def with_edits(self, edits: Edits) -> Work:
        """The same with other strengths."""
        return replace(self, edits=edits)


@dataclass(frozen=True)
class Result:
    """The finished layer, or what is added to it, and the server's report on it.

    ``latent``: the inversion, to be kept; empty when it is too large or unknown. ``mask``: where
    it shows, one channel, where that was asked for apart.
    """

    picture: Picture | Change
    report: dict[str, Any]
    latent: bytes = b""
    mask: Picture | None = None

    def changes(self, before: Picture) -> bool:
        """Whether any pixel differs from ``before``, and is let through by the mask."""
        if self.mask is not None:
            return not self.report.get("unchanged")
        if isinstance(self.picture, Change):
            return not self.picture.is_nothing
        return self.picture.pixels != before.pixels


@dataclass(frozen=True)
class Faces:
    """The corners of each face of a layer, and which of them is meant, from 1 on."""

    quads: list[list[list[float]]]
    chosen: int

    @property
    def sentence(self) -> str:
        """How many there are, and what to do."""
        count = len(self.quads)
        return ngettext(
            "{count} face: click the one to edit.", "{count} faces: click the one to edit.", count
        ).format(count=count)


def tell_fit(report: dict[str, Any]) -> str:
    """What a person must know of a report: a poor fit, what to do, that nothing changed.

    Empty if there is nothing to say, as in reports of older servers.
    """
    parts = [report.get("warning"), report.get("unchanged"), report.get("regions_note")]
    told = [translate_sent(str(part)) if part else "" for part in parts]
    told.insert(1, _advise(report))
    return " ".join(part for part in told if part)


def _advise(report: dict[str, Any]) -> str:
    """What helps a poor fit, in words of what can be done in GIMP."""
    match report.get("remedy"):
        case "method":
            return _(
                "The network shows this picture only poorly: take the method Faithful, or a part "
                "that shows the subject larger and upright."
            )
        case "network":
            name = report.get("remedy_network")
            return _("Try the network {name}: it stands in the list Network.").format(name=name)
        case "install":
            return _(
                "No other network for such pictures is installed: Filters > Latent-Fu > Networks "
                "shows those that can be had."
            )
    return translate_sent(str(report.get("advice") or ""))


def run_work(client: ServerClient, work: Work, report: Report) -> Result:
    """Do ``work`` and wait for it; raises PluginError in one sentence."""
    if not work.apart:
        return _run_part(client, work, "layer", report)
    free = _run_part(client, work, FREE, report)
    limited = _run_part(client, replace(work, deep=False), MASK, report)
    assert isinstance(limited.picture, Picture)
    return replace(free, report=limited.report, mask=limited.picture)


FREE, MASK = "free", "mask"
"""Parts of a result: the edit without limits, and what limits it (latentfu.protocol.requests)."""


def _run_part(client: ServerClient, work: Work, part: str, report: Report) -> Result:
    document = send_request(client, work, work.kind)
    job, last = _follow(client, {**document, "part": part} if work.apart else document, report)
    told = last.get("report") or {}
    picture: Picture | Change = client.change(job) if work.deep else client.result(job)
    _check_size(picture, work.layer, 1 if part == MASK else work.layer.channels)
    return Result(picture, told, work.latent or _fetch_latent(client, told))


def run_anywhere(client: ServerClient, work: Work, report: Report) -> Result:
    """:func:`run`; where no face is found, the selection is taken as one."""
    try:
        return run_work(client, work, report)
    except NoPortraitError:
        if work.mask is None or is_placed(work):
            raise
        return run_work(client, place_in_selection(work), report)


def is_placed(work: Work) -> bool:
    """Whether the work says where the face is."""
    return any(name in work.extra for name in ("face", "corners", "eyes"))


def place_in_selection(work: Work) -> Work:
    """The same with the square around what is selected as the face."""
    if work.mask is None:
        return work
    return replace(work, extra={**work.extra, "corners": square_around(work.mask)})


def place_at(work: Work, report: dict[str, Any]) -> Work:
    """The same in the square of a report, so that every further one is of the same face."""
    quad = report.get("quad")
    if not quad or is_placed(work):
        return work
    return replace(work, extra={**work.extra, "corners": quad})


def _check_size(found: Picture | Change, layer: Picture, channels: int) -> None:
    if isinstance(found, Change):
        fits = found.x + found.width <= layer.width and found.y + found.height <= layer.height
    else:
        wanted = (layer.width, layer.height, channels)
        fits = (found.width, found.height, found.channels) == wanted
    if not fits:
        raise ServerGoneError(
            _(
                "The Latent-Fu server answered with a picture of another size: stop it and try "
                "again."
            )
        )


def _fetch_latent(client: ServerClient, report: dict[str, Any]) -> bytes:
    key = report.get("inversion_key")
    data = client.fetch_latent(str(key)) if key else b""
    return data if len(data) <= LARGEST_LATENT else b""


def prepare(client: ServerClient, work: Work, report: Report) -> dict[str, Any]:
    """Invert the layer so that previews are quick; the report, or raises PluginError.

    Where no face is found, the selection is taken as one.
    """
    document = send_request(client, work, "invert")
    try:
        return _follow(client, document, report)[1].get("report") or {}
    except NoPortraitError:
        if work.mask is None or is_placed(work):
            raise
        return prepare(client, place_in_selection(work), report)


def find_faces(client: ServerClient, work: Work, report: Report) -> Faces:
    """Where the faces are; raises NoPortraitError when there is none."""
    told = _follow(client, send_request(client, work, "find"), report)[1].get("report") or {}
    return Faces(list(told.get("faces") or []), int(told.get("chosen") or 1))


def ask_regions(client: ServerClient, work: Work, report: Report) -> Result:
    """A mask of ``extra["regions"]`` and of where ``extra["controls"]`` act, together.

    Where it names none, a colored map of all. Its report lists the regions that are there. Raises
    PluginError where they are not sure.
    """
    job, last = _follow(client, send_request(client, work, "regions"), report)
    return Result(client.result(job), last.get("report") or {})


def preview(client: ServerClient, work: Work, session: str, side: int, quick: int = 0) -> Picture:
    """The edited layer with its longest side at most ``side``.

    ``quick``: 0 exactly, else from a picture so many times smaller than the network's.
    """
    document = {**send_request(client, work, "preview"), "side": side, "quick": quick}
    return read_picture(client.put(f"/v1/previews/{session}", document))


def send_request(client: ServerClient, work: Work, kind: str) -> dict[str, Any]:
    """The JSON of a request of that kind, after bringing its pictures to the server."""
    inverter, quality = split_method(work.inverter)
    document: dict[str, Any] = {
        "layer": client.send_picture(work.layer),
        "mask": client.send_picture(work.mask) if work.mask else None,
        "generator": work.generator or None,
        "inverter": inverter or None,
        "quality": quality or None,
        "feather": work.feather,
        "interactive": True,
        **({"options": work.options} if work.options else {}),
    }
    if kind != "preview":
        document["kind"] = kind
    if kind in ("edit", "preview"):
        document.update(_write_edits(client, work))
    if kind in ("edit", "mix", "transfer") and work.deep:
        document["as_change"] = True
    if kind == "regions":
        document["regions"] = list(work.extra.get("regions") or [])
    if kind in ("mix", "transfer") and work.source:
        document["source"] = client.send_picture(work.source)
    if kind == "mix" and not work.mixed_regions:
        document["layers"] = list(work.layers)
    if kind == "transfer":
        document.update(along=list(work.along), scale=work.scale)
    if work.latent and kind in ("edit", "preview", "invert", "transfer"):
        document["latent"] = client.send_latent(work.latent)
    more = {
        "mix": ("regions",), "transfer": ("regions", "identity"), "regions": ("controls",)
    }.get(kind, ())  # fmt: skip
    taken = work.extra if kind in ("edit", "preview") else (*_COMMON, *more)
    document.update({name: value for name, value in work.extra.items() if name in taken})
    return document


def _write_edits(client: ServerClient, work: Work) -> dict[str, Any]:
    """Sliders, other controls and those that take a picture, each as the server wants them."""
    edits, values, exemplars = {}, {}, {}
    for name, value in work.edits.items():
        if not isinstance(value, str):
            edits[name] = value
        elif is_picture(value):
            exemplars[name] = client.send_picture(work.pictures[value])
        else:
            values[name] = value.removeprefix("@")
    more = {"values": values, "exemplars": exemplars}
    return {"edits": edits, **{name: given for name, given in more.items() if given}}


_COMMON = (
    "aligner", "quality", "face", "corners", "eyes", "mouth", "psi",
)  # fmt: skip
"""What of ``extra`` a request takes that moves no control."""


def _follow(
    client: ServerClient, document: dict[str, Any], report: Report
) -> tuple[str, dict[str, Any]]:
    job = str(uuid.uuid4())
    client.put(f"/v1/jobs/{job}", document)
    last: dict[str, Any] = {}
    try:
        for last in client.events(job):
            report(
                float(last.get("fraction") or 0.0), translate_sent(str(last.get("message") or ""))
            )
    except StoppedError:
        _drop(client, job)
        raise
    if last.get("state") == "done":
        return job, last
    if last.get("state") == "failed":
        raise _reason(last.get("error"))
    if last.get("state") == "cancelled":
        raise StoppedError
    raise ServerGoneError(_("The Latent-Fu server stopped in the middle of the work: try again."))


def follow_to_end(client: ServerClient, document: dict[str, Any], report: Report) -> dict[str, Any]:
    """Put a job of any kind and wait for it; its last state, or raises PluginError."""
    return _follow(client, document, report)[1]


def _drop(client: ServerClient, job: str) -> None:
    try:
        with client.another(timeout=2.0) as other:
            other.delete(f"/v1/jobs/{job}")
    except PluginError:
        pass  # The server drops the job by itself when nobody listens any more.


NOTHING_FOUND = _(
    "No face is found in this layer: select the face, from the hair to the chin, and open this "
    "again."
)
"""In words of what can be done in GIMP."""


def _reason(error: Any) -> PluginError:
    if isinstance(error, dict):
        if error.get("code") == "nothing_found":
            return NoPortraitError(NOTHING_FOUND)
        error = error.get("message")
    return PluginError(
        translate_sent(str(error or ""))
        or _("The work failed for a reason that the server did not give: try again.")
    )
