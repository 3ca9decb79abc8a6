"""What is answered: what is installed, jobs and their reports, errors.

The lists of the command line and of HTTP are made of the same models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from latentfu.core.limits import RemedyName
from latentfu.protocol.model import Sha256, Uuid


class Reply(BaseModel):
    """Made from the objects that it describes; fields of a newer server are not read."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        ser_json_inf_nan="null",
        from_attributes=True,
    )


class Failure(Reply):
    """Why something failed."""

    code: str = Field(description="A stable word for programs.")
    message: str = Field(description="One sentence for people.")


class ErrorReply(Reply):
    """The body of every answer of status 400 and above."""

    error: Failure


class WorkerReply(Reply):
    """How a worker process is."""

    state: Literal["starting", "ready", "busy", "restarting"]
    device: str = Field(description='"cpu", "cuda", ...; empty until it has started.')
    message: str = Field(description="Why it is not ready; empty if it is.")
    memory_mb: int = Field(
        default=0, description="Main memory of its process in MB; 0 where it is not known."
    )


class HealthReply(Reply):
    """That the server is there."""

    status: Literal["ok"]
    version: str
    pid: int
    uptime_s: float
    worker: WorkerReply = Field(description="The first of workers.")
    workers: list[WorkerReply] = Field(description="One for each device.")
    idle_stop_minutes: float = Field(
        default=0.0, description="After so many minutes without use the server ends; 0: it stays."
    )
    draining: bool = Field(
        default=False,
        description="Whether it takes no new work, and ends when it has done its own.",
    )


class ProofReply(Reply):
    """That the server has the token: HMAC-SHA256 over the nonce and the server's port."""

    proof: str


class PluginReply(Reply):
    """A plug-in and whether it is used."""

    name: str
    origin: str = Field(description="Where it was found.")
    state: Literal["ok", "disabled", "quarantined"]
    reason: str | None = Field(description="Why it is not used.")
    version: str | None
    left_out: tuple[str, ...] = Field(
        default=(), description="What of it cannot have its name, a sentence each."
    )


class PluginsReply(Reply):
    """All plug-ins that were found."""

    plugins: list[PluginReply]


class SettingReply(Reply):
    """A setting of a plug-in, and what it is now."""

    plugin: str
    name: str
    title: str
    help: str
    widget: str = Field(
        description="check, choice, slider, number, color, path, text or secret: how to show it."
    )
    default: bool | int | float | str
    value: bool | int | float | str | None = Field(description="null for a secret.")
    is_set: bool = Field(description="Whether anybody has said anything but the default.")
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None


class SettingsReply(Reply):
    """The settings of all plug-ins, or of one."""

    settings: list[SettingReply]


class GeneratorReply(Reply):
    """A generator that can be opened by name."""

    name: str
    title: str
    domain: str = Field(description="What it draws: portraits, faces, cars, ...")
    resolution: int = Field(description="Side of its pictures in pixels.")
    id: str = Field(description="The sha256 of its weights.")
    licence: str
    description: str
    is_default: bool = Field(
        default=False, description="Whether it works where a request names none."
    )


class GeneratorsReply(Reply):
    """The installed generators, the default first."""

    generators: list[GeneratorReply]


class DefaultGeneratorReply(Reply):
    """The network that works where a request names none."""

    generator: str | None = Field(description="Its name; null where none is installed.")
    chosen: str | None = Field(
        description="What the owner chose, installed or not; null: the first installed is used."
    )


class InverterReply(Reply):
    """A method that finds the latent of a picture."""

    name: str
    title: str
    spaces: tuple[str, ...] = Field(description="The latent spaces that it works in.")
    description: str
    options: dict[str, float | int | str | bool] = Field(
        default_factory=dict, description="What can be tuned, with the default values."
    )
    misfit: str | None = Field(
        default=None,
        description="Why it does not work for the generator that was asked for, in a sentence; "
        "empty where it does, null where none was asked for.",
    )


class InvertersReply(Reply):
    """The installed inverters in the order of their plug-ins.

    For a generator: those that fit as they are tried, the default first, then the others.
    """

    inverters: list[InverterReply]


class MakerReply(Reply):
    """A method that makes directions."""

    name: str
    title: str
    options: dict[str, float | int | str | bool] = Field(
        default_factory=dict, description="What can be tuned, with the default values."
    )


class AttributeReply(Reply):
    """What a scorer reads in the pictures of a generator."""

    name: str
    scorer: str = Field(description="The first that reads it, by name.")


class MakersReply(Reply):
    """What directions of a generator can be made by, and of."""

    generator: str
    makers: list[MakerReply] = Field(description="The default first.")
    attributes: list[AttributeReply] = Field(
        description="What its scorers read, the first scorer's first; some makers know others too."
    )


class AlignerReply(Reply):
    """A way to find the square that a generator understands."""

    name: str
    title: str
    domains: tuple[str, ...] = Field(description="What it finds.")


class AlignersReply(Reply):
    """The installed aligners."""

    aligners: list[AlignerReply]


class ControlReply(Reply):
    """One slider, or what its widget says."""

    name: str = Field(description="What edits, targets and only name it by.")
    title: str
    plus: str = Field(
        validation_alias=AliasChoices("positive_means", "plus"),
        description="What a positive strength means.",
    )
    ends: tuple[str, str] = Field(
        default=("", ""), description="What less and more of it are, in a word or two each."
    )
    group: str
    kind: str = Field(description="direction, deformation, or a plug-in's own word.")
    minimum: float = Field(description="Where the sensible range begins.")
    maximum: float = Field(description="Where it ends.")
    unit: str
    layers: tuple[int, int] | None = Field(description="The first and last it moves; null: all.")
    author: str
    licence: str
    source: str
    widget: str = Field(
        default="slider",
        description="slider (edits, targets, only), check, choice, color, point, text (values), or "
        "picture (exemplars).",
    )
    choices: tuple[str, ...] = Field(default=(), description="What a choice can be set to.")


class ControlsReply(Reply):
    """The sliders of a generator."""

    generator: str
    controls: list[ControlReply]


class LayerReply(Reply):
    """A stored layer."""

    sha256: Sha256


class MoveReply(Reply):
    """How a transfer moved one direction."""

    have: float = Field(description="How much of it the picture held.")
    exemplar: float = Field(description="How much the second picture holds.")
    goal: float = Field(description="How much the result holds.")
    strength: float = Field(description="The strength of an edit that does the same.")


class ReportReply(Reply):
    """What a finished job says about itself."""

    model_config = ConfigDict(allow_inf_nan=True)

    psnr: float = Field(description="Of the inversion, in dB over the crop.")
    perceptual: float = Field(description="The inverter's own distance; 0 is equal.")
    perceptual_name: str
    identity: float | None = Field(description="Likeness of the person, 1 is the same.")
    beyond: float | None = Field(
        description="What the codes alone cannot show; 1 is a picture at random."
    )
    outside: bool = Field(description="Whether the picture is outside what the network shows.")
    warning: str = Field(description="The same as a sentence; empty if it is not.")
    fit: Literal["good", "fair", "poor"] = Field(
        description="How well the network shows the picture, by beyond and psnr."
    )
    advice: str = Field(
        description="What to do about a poor fit, as a sentence, such as another network by name; "
        "empty if it is not poor."
    )
    remedy: RemedyName = Field(
        default="",
        description="The same for programs: method (a better one, or another crop), network (the "
        "installed one in remedy_network), install (one that is not here), or nothing.",
    )
    remedy_network: str = Field(default="", description="The installed network that may fit.")
    changed: int = Field(description="How many pixels of the layer changed.")
    unchanged: str = Field(description="Why none did, as a sentence; empty if some did.")
    quad: list[tuple[float, float]] = Field(description="The crop's four corners in the layer.")
    network_layers: int = Field(default=0, description="How many layers a mix can take from.")
    aligner: str
    inverter: str
    generator: str
    generator_id: str
    inversion_cached: bool
    inversion_key: str
    inversion_seconds: float = Field(description="What it took when it was found.")
    inversion_parts: dict[str, float] = Field(description="Where they went.")
    seconds: dict[str, float] = Field(description="Of this job: load, crop, invert, render, ...")
    changed_outside_mask: int = Field(description="Pixels; always 0.")
    regions: list[str] = Field(
        default_factory=list, description="Where the edit shows; empty: in the whole crop."
    )
    regions_note: str = Field(
        default="",
        description="Why it is the whole crop although regions were wanted, as a sentence.",
    )
    source_inversion_key: str | None = Field(
        default=None, description="Of a mix or transfer: the second picture's; else left out."
    )
    moves: dict[str, MoveReply] | None = Field(
        default=None, description="Of a transfer: by the names of the directions; else left out."
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this report."""
        fields = self.model_dump(mode="json")
        for name in ("source_inversion_key", "moves"):
            if fields[name] is None:
                del fields[name]
        return fields


class RegionReply(Reply):
    """One region of a picture."""

    name: str
    share: float = Field(description="Its part of the square around the face, 0 to 1.")


class RegionsReply(Reply):
    """What a finished job of kind regions says about itself."""

    parser: str
    surety: float = Field(description="How sure the parser is of this picture, 0 to 1.")
    regions: list[RegionReply] = Field(description="Those that are there, the largest first.")
    shown: list[str] = Field(
        description="Those that the mask is of: asked for by name, or where the controls act."
    )
    quad: list[tuple[float, float]] = Field(description="The square's four corners in the layer.")
    aligner: str
    seconds: dict[str, float]

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this report."""
        return self.model_dump(mode="json")


class RegionMixReply(Reply):
    """What a finished mix of regions says about itself."""

    parser: str
    surety: float = Field(description="How sure the parser is of both pictures, 0 to 1.")
    regions: list[str] = Field(description="What was taken from the second picture.")
    quad: list[tuple[float, float]] = Field(description="The square's four corners in the layer.")
    aligner: str
    changed: int = Field(description="How many pixels of the layer changed.")
    unchanged: str = Field(description="Why none did, as a sentence; empty if some did.")
    changed_outside_mask: int = Field(description="Pixels; always 0.")
    seconds: dict[str, float]

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this report."""
        return self.model_dump(mode="json")


class FacesReply(Reply):
    """Where the faces of a layer are."""

    faces: list[list[tuple[float, float]]] = Field(
        description="The four corners of each, in layer pixels; face 1 is the first."
    )
    chosen: int = Field(description="The one that is edited unless another is asked for.")
    aligner: str

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this reply."""
        return self.model_dump(mode="json")


class MadeDirectionReply(Reply):
    """A direction that was made, and what was measured of it."""

    name: str
    title: str
    attribute: str
    plus: str = Field(description="What more of it means.")
    space: str = Field(description="The latent space that it lies in.")
    unit: str = Field(description="What a strength counts.")
    method: str = Field(description="How it was made, for people.")
    samples: int = Field(description="How many it was learned from.")
    accuracy: float | None = Field(
        description="The part of held-out samples that it tells apart; null: not measured."
    )
    effect: float | None = Field(
        description="What strength 1 does to the attribute, in its standard deviations; null: "
        "not measured."
    )
    leakage: dict[str, float] = Field(description="The same for other attributes.")
    replaces: bool = Field(
        description="Whether one of the user's own has that name: to keep this puts that into the "
        "folder replaced."
    )
    file: str | None = Field(description="Where it was kept; null: it was not.")


class MadeReply(Reply):
    """What a finished job of kind make says about itself."""

    generator: str
    maker: str
    kept: bool
    directions: list[MadeDirectionReply] = Field(description="One, or as many as the maker makes.")
    seconds: float

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this reply."""
        return self.model_dump(mode="json")


class JobReply(Reply):
    """A job and how far it is."""

    id: Uuid
    kind: Literal["edit", "mix", "transfer", "invert", "regions", "find", "make", "install"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    fraction: float = Field(description="0 to 1.")
    message: str = Field(description="What is being done.")
    error: Failure | None
    report: dict[str, Any] | None = Field(
        description="When it is done: a ReportReply, of regions a RegionsReply, of a mix of "
        "regions a RegionMixReply, of a find a FacesReply, of a make a MadeReply, of an "
        "installation an InstalledReply."
    )
    attempts: int = Field(description="How often a worker has begun it.")
    created: float = Field(description="Seconds since 1970.")
    bytes_done: int | None = Field(
        default=None, description="Of a file that is being fetched: how many bytes have come."
    )
    bytes_total: int | None = Field(
        default=None, description="How many it has; null where nobody says."
    )


class JobsReply(Reply):
    """The newest jobs, newest first."""

    jobs: list[JobReply]


class PluginStateReply(Reply):
    """Whether a plug-in is switched on."""

    name: str
    is_enabled: bool


class IdleStopReply(Reply):
    """When a server that nobody uses ends."""

    minutes: float = Field(description="Minutes without use; 0: it stays.")


class DrainReply(Reply):
    """The server takes no new work, and ends when what it has is done."""

    status: Literal["draining"]
    left: int = Field(description="Jobs that it still finishes.")


class ShutdownReply(Reply):
    """The server stops after this answer."""

    status: Literal["stopping"]


def dump_named(model: type[Reply], objects: Mapping[str, object]) -> list[dict[str, Any]]:
    """Installed objects as JSON, each under the name by which it is found."""
    return [
        {**model.model_validate(found).model_dump(mode="json"), "name": name}
        for name, found in objects.items()
    ]


def mark_default(generators: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """GeneratorReplies as JSON, the first of them marked as the default."""
    return [{**one, "is_default": place == 0} for place, one in enumerate(generators)]
