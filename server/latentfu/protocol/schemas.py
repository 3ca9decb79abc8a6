"""What requests and replies look like; the OpenAPI document is made from these same models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from latentfu.core import names

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
SHA256_PATTERN = f"^{names.SHA256_PATTERN}$"
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
Strength = Annotated[float, Field(ge=-100, le=100)]


class Model(BaseModel):
    """Strict: no unknown fields, no NaN, no text where a number belongs."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, ser_json_inf_nan="null"
    )


Coordinate = Annotated[float, Field(ge=-65536, le=65536)]
Point = tuple[Coordinate, Coordinate]


class _Work(Model):
    layer: Sha256
    mask: Sha256 | None = None
    generator: Name | None = None
    inverter: Name | None = None
    aligner: Name | None = None
    quality: Literal["draft", "good", "best"] | None = None
    face: Annotated[int, Field(ge=1, le=1000)] | None = None
    corners: tuple[Point, Point, Point, Point] | None = None
    eyes: tuple[Point, Point] | None = None
    mouth: Point | None = None
    feather: Annotated[float, Field(ge=0, le=1000)] = 12.0
    psi: Annotated[float, Field(ge=0, le=2)] = 1.0
    edits: Annotated[dict[Name, Strength], Field(max_length=100)] = Field(default_factory=dict)
    interactive: bool = False


class EditJob(_Work):
    """Edit a layer by control strengths."""

    kind: Literal["edit"]


class InvertJob(_Work):
    """Find the latent of a layer and keep it, so that a later edit is one render."""

    kind: Literal["invert"]


class MixJob(_Work):
    """Take the latent layers ``layers`` (first and last) from ``source``; ``edits`` count not."""

    kind: Literal["mix"]
    source: Sha256
    layers: tuple[Annotated[int, Field(ge=0, le=63)], Annotated[int, Field(ge=0, le=63)]]

    @model_validator(mode="after")
    def _in_order(self) -> MixJob:
        if self.layers[0] > self.layers[1]:
            raise ValueError("layers must be [first, last] with first <= last")
        return self


JobRequest = Annotated[EditJob | InvertJob | MixJob, Field(discriminator="kind")]


class PreviewRequest(_Work):
    """A small picture of an edit."""

    side: Annotated[int, Field(ge=32, le=1024)] = 256
    quick: Annotated[int, Field(ge=0, le=16)] = 0


class Failure(Model):
    """A stable word for programs and a sentence for people."""

    code: str
    message: str


class ErrorReply(Model):
    """The body of every answer of status 400 and above."""

    error: Failure


class WorkerReply(Model):
    """How the worker process is."""

    state: Literal["starting", "ready", "busy", "restarting"]
    device: str
    message: str


class HealthReply(Model):
    """That the server is there. ``worker``: the first of ``workers``, one for each device."""

    status: Literal["ok"]
    version: str
    pid: int
    uptime_s: float
    worker: WorkerReply
    workers: list[WorkerReply]


class PluginReply(Model):
    """A plug-in and whether it is used."""

    name: str
    origin: str
    state: Literal["ok", "disabled", "quarantined"]
    reason: str | None
    version: str | None


class PluginsReply(Model):
    """All plug-ins that were found."""

    plugins: list[PluginReply]


class GeneratorReply(Model):
    """A generator that can be opened by name."""

    name: str
    title: str
    domain: str
    resolution: int
    id: str
    licence: str
    description: str


class GeneratorsReply(Model):
    """The installed generators, the default first."""

    generators: list[GeneratorReply]


class InverterReply(Model):
    """A method that finds the latent of a picture."""

    name: str
    title: str
    spaces: list[str]
    description: str


class InvertersReply(Model):
    """The installed inverters, the default first."""

    inverters: list[InverterReply]


class ControlReply(Model):
    """One slider."""

    name: str
    title: str
    plus: str
    group: str
    kind: Literal["direction", "deformation"]
    minimum: float
    maximum: float
    unit: str
    layers: list[int] | None
    author: str
    licence: str
    source: str


class ControlsReply(Model):
    """The sliders of a generator."""

    generator: str
    controls: list[ControlReply]


class LayerReply(Model):
    """A stored layer."""

    sha256: Sha256


class JobReply(Model):
    """A job and how far it is."""

    id: Uuid
    kind: Literal["edit", "mix", "invert"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    fraction: float
    message: str
    error: Failure | None
    report: dict[str, Any] | None
    attempts: int
    created: float


class JobsReply(Model):
    """The newest jobs, newest first."""

    jobs: list[JobReply]


class ShutdownReply(Model):
    """The server stops after this answer."""

    status: Literal["stopping"]
