"""What can be asked of the editor, with every limit: one request for every door.

Python, the command line, HTTP and the GIMP plug-in all say the same; the editor takes these very
objects, and the OpenAPI document and the reference pages are printed from them. Pictures stand in
a request by reference (see :class:`latentfu.protocol.pictures.PictureSource`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from latentfu.core.errors import BadInputError
from latentfu.core.limits import QualityName
from latentfu.core.names import is_name
from latentfu.protocol.model import Model, Name, Sha256

_Bounds = tuple[int, int]
LIMITS: dict[str, _Bounds] = {
    "edits": (-100, 100),
    "targets": (-100, 100),
    "feather": (0, 1000),
    "psi": (0, 2),
    "identity": (0, 1000),
    "face": (1, 1000),
    "corners": (-65536, 65536),
    "eyes": (-65536, 65536),
    "mouth": (-65536, 65536),
    "layers": (0, 63),
    "scale": (-10, 10),
    "only": (0, 99),
    "side": (32, 2048),
    "quick": (0, 16),
    "minutes": (0, 10_080),
    "samples": (20, 1_000_000),
    "seed": (0, 2**31),
}
"""The smallest and the largest number that each field takes, both included."""
MOST_NAMES = 100
"""How many controls, or options of a method, one request may name."""


def _within(field: str) -> Any:
    low, high = LIMITS[field]
    return Field(ge=low, le=high)


_Strength = Annotated[float, _within("edits")]
_Regions = Literal["auto", "whole"] | Annotated[list[Name], Field(min_length=1)]
_WHERE = (
    "Where the edit may show: auto (in photographs where its controls act), whole "
    "(the whole crop), or the names of regions, such as hair."
)
LayerNumber = Annotated[int, _within("layers")]
LayerRange = tuple[LayerNumber, LayerNumber]
OnlyNumber = Annotated[int, _within("only")]
Coordinate = Annotated[float, _within("corners")]
Point = tuple[Coordinate, Coordinate]
OptionText = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,1000}$")]
Option = bool | int | float | OptionText

_DROPPED = "Whether the job is dropped when nobody waits for it any more."
_UNUSED = "Taken for the sake of older clients, and not used."


def _require_kind(schema: dict[str, Any]) -> None:
    """``kind`` has a default in Python; on the wire it must be there."""
    if "kind" in schema.get("properties", {}):
        schema["required"] = [*schema.get("required", []), "kind"]


class LayerRequest(Model):
    """What is asked of a layer, whatever is done with it; null is the default everywhere."""

    model_config = ConfigDict(json_schema_extra=_require_kind)

    layer: Sha256 = Field(description="The picture: the sha256 of its pixel body.")
    mask: Sha256 | None = Field(
        default=None,
        description="One channel of the layer's size: 0 stays as it is, 255 may change.",
    )
    generator: Name | None = Field(
        default=None, description="The network; null: the default (GET /v1/default-generator)."
    )
    inverter: Name | None = Field(
        default=None,
        description="The method that finds the latent; null: the best for the quality.",
    )
    aligner: Name | None = Field(
        default=None, description="How the square to edit is found; null: the generator's own."
    )
    quality: QualityName | None = Field(
        default=None,
        description="Instead of an inverter: how well, at the cost of time; null: good.",
    )
    options: dict[Name, Option] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Options of the inverter, over its own and the quality's.",
    )
    face: Annotated[int, _within("face")] | None = Field(
        default=None,
        description="Which of several faces: 1 is the largest; null: the one in the mask.",
    )
    corners: tuple[Point, Point, Point, Point] | None = Field(
        default=None,
        description="The square by hand, in layer pixels: top left, top right, bottom right, "
        "bottom left.",
    )
    eyes: tuple[Point, Point] | None = Field(
        default=None,
        description="The eyes in layer pixels, left in the picture first: where nothing is "
        "detected. Needs mouth.",
    )
    mouth: Point | None = Field(default=None, description="The mouth's middle, with eyes.")
    feather: Annotated[float, _within("feather")] = Field(
        default=12.0, description="Width of the soft border in layer pixels."
    )
    psi: Annotated[float, _within("psi")] = Field(
        default=1.0,
        description="Truncation: below 1 pulls the latent towards the generator's mean.",
    )
    latent: Sha256 | None = Field(
        default=None,
        description="Instead of looking for it: a latent that was brought with PUT /v1/latents/, "
        "of the square in corners.",
    )
    as_change: bool = Field(
        default=False,
        description="Whether the result is the change itself in 16 bits, to be added to a picture "
        "of more than 8 bits, instead of the layer.",
    )
    part: Literal["layer", "free", "mask"] = Field(
        default="layer",
        description="What the result is: the layer; free, the layer as if neither mask nor regions "
        "limited the edit; mask, what limits it, one channel, 255 where all of it shows.",
    )
    interactive: bool = Field(default=False, description=_DROPPED)

    @model_validator(mode="after")
    def _check_place(self) -> LayerRequest:
        if (self.eyes is None) != (self.mouth is None):
            raise ValueError("Give the eyes and the mouth together: both are needed.")
        if self.latent is not None and self.corners is None:
            raise ValueError("A latent is that of a square: give its corners too.")
        if sum(place is not None for place in (self.face, self.corners, self.eyes)) > 1:
            raise ValueError("Give only one of face, corners, and eyes with mouth.")
        return self

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this request: what differs from the defaults."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        kind = getattr(self, "kind", None)
        return fields if kind is None else {"kind": kind, **fields}


class ControlsRequest(LayerRequest):
    """A request that moves controls."""

    edits: dict[Name, _Strength] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Controls and how far each is moved from where the picture stands.",
    )
    values: dict[Name, bool | OptionText | Point] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Controls that are no sliders and what each is set to: on or off, a choice, a "
        "text, a color as #rrggbb, or a point in layer pixels.",
    )
    exemplars: dict[Name, Sha256] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Controls that take a picture, and the picture of each.",
    )
    targets: dict[Name, _Strength] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Directions and the amount each is moved to, wherever the picture stands; 0 "
        "is the boundary.",
    )
    only: dict[Name, tuple[OnlyNumber, OnlyNumber]] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="The first and the last layer that a control may move, both included.",
    )
    truncation: Literal["first", "last"] = Field(
        default="last", description="Whether psi acts before or after the controls."
    )
    identity: Annotated[float, _within("identity")] = Field(
        default=0.0, description="How hard the person is held while the rest moves, e.g. 1."
    )
    regions: _Regions = Field(default="auto", max_length=MOST_NAMES, description=_WHERE)

    @model_validator(mode="after")
    def _check_controls(self) -> ControlsRequest:
        for name in sorted(set(self.edits) & set(self.targets)):
            raise ValueError(f"{name} has a strength and a target: give one of them.")
        for name in sorted(set(self.values) & set(self.exemplars)):
            raise ValueError(f"{name} has a value and a picture: give one of them.")
        for name in sorted((set(self.edits) | set(self.targets)) & self.valued):
            raise ValueError(f"{name} has a strength and a value: give one of them.")
        for name in sorted(set(self.only) - set(self.edits) - set(self.targets)):
            raise ValueError(f"Layers are given for {name}, which is not moved.")
        for name, (first, last) in self.only.items():
            if first > last:
                raise ValueError(f"The layers of {name} run backwards: give [{last}, {first}].")
        return self

    @property
    def valued(self) -> frozenset[str]:
        """The controls that are set to a value or a picture."""
        return frozenset(self.values) | frozenset(self.exemplars)


class EditRequest(ControlsRequest):
    """Move controls on a layer."""

    kind: Literal["edit"] = "edit"


class PreviewRequest(ControlsRequest):
    """A small picture of an edit."""

    side: Annotated[int, _within("side")] = Field(
        default=256, description="The longest side of the answer in pixels."
    )
    quick: Annotated[int, _within("quick")] = Field(
        default=0,
        description="0: exactly; else by the network's shorter way, in a picture so many times "
        "smaller, for while a slider moves.",
    )


class InvertRequest(LayerRequest):
    """Find the latent of a layer and keep it, so that a later edit is one render."""

    kind: Literal["invert"] = "invert"
    edits: dict[Name, _Strength] = Field(
        default_factory=dict, max_length=MOST_NAMES, description=_UNUSED
    )


class RegionsRequest(LayerRequest):
    """Find regions such as hair: the result is a mask of them, or a colored map of all."""

    kind: Literal["regions"] = "regions"
    regions: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="The mask is of these together (255 inside, one channel); none: the result is "
        "a map of all regions, each in a color of its own.",
    )
    controls: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="The mask is also of the regions in which these controls of the generator act; "
        "what is not known yet is measured and kept.",
    )


class FindRequest(LayerRequest):
    """Find the faces of a layer; nothing is edited."""

    kind: Literal["find"] = "find"


class MixRequest(LayerRequest):
    """Take latent layers or regions from a second picture, inside the mask."""

    kind: Literal["mix"] = "mix"
    source: Sha256 = Field(description="The second picture.")
    layers: LayerRange | None = Field(
        default=None,
        description="The first and the last layer of the network taken, both included; needed "
        "unless regions are given.",
    )
    regions: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="Instead of layers: regions that are taken as the second picture shows them, "
        "such as hair or mouth; no network is needed.",
    )
    edits: dict[Name, _Strength] = Field(
        default_factory=dict, max_length=MOST_NAMES, description=_UNUSED
    )

    @model_validator(mode="after")
    def _check_taken(self) -> MixRequest:
        if (self.layers is None) == (not self.regions):
            raise ValueError("Give layers or regions to take from the second picture: one of both.")
        if self.layers is not None and self.layers[0] > self.layers[1]:
            raise ValueError("The layers must be [first, last] with first <= last.")
        return self


class InstallRequest(Model):
    """Fetch and install a network of GET /v1/networks, with all that it brings.

    To pause, cancel the job: what has come is kept, and the next job goes on from there.
    """

    model_config = ConfigDict(json_schema_extra=_require_kind)

    kind: Literal["install"] = "install"
    network: Name = Field(description="Which one, by name.")
    agreed: bool = Field(
        default=False,
        description="That the person agrees to its terms; needed where they are new.",
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this request."""
        return self.model_dump(mode="json")


class MakeRequest(Model):
    """Make a direction of what a scorer reads, by an installed maker (GET /v1/makers).

    The report is looked at first: ask for the same again with ``keep`` as true, and what was
    made, if that was less than a day ago, is put among the user's own directions.
    """

    model_config = ConfigDict(json_schema_extra=_require_kind)

    kind: Literal["make"] = "make"
    attribute: Name = Field(
        description="What more of it shall mean: as a scorer calls it, or as the maker knows it."
    )
    generator: Name | None = Field(
        default=None, description="The network; null: the default (GET /v1/default-generator)."
    )
    maker: Name | None = Field(default=None, description="By name; null: the first of the list.")
    options: dict[Name, Option] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="Options of the maker, over its own.",
    )
    samples: Annotated[int, _within("samples")] = Field(
        default=4000, description="How many pictures of the network are drawn and read."
    )
    seed: Annotated[int, _within("seed")] = Field(
        default=0, description="Of the samples: the same gives the same direction."
    )
    name: Name | None = Field(
        default=None, description="What edits name it by; null: my- and the attribute."
    )
    plus: OptionText = Field(
        default="", description="What more of it means, for people; empty: the maker's words."
    )
    keep: bool = Field(
        default=False, description="Whether it is put among the user's own directions."
    )
    interactive: bool = Field(default=False, description=_DROPPED)

    @model_validator(mode="after")
    def _check_name(self) -> MakeRequest:
        if not is_name(self.direction_name):
            raise ValueError(
                f"{self.direction_name!r} is no name for a direction: take small letters, digits, "
                f"- and _."
            )
        return self

    @property
    def direction_name(self) -> str:
        """The name that was given, or the one that follows from the attribute."""
        return self.name or f"my-{self.attribute}"

    def to_wire(self) -> dict[str, Any]:
        """The JSON object of this request: what differs from the defaults."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude_defaults=True)}


class TransferRequest(LayerRequest):
    """Move a layer to where a second picture stands along directions."""

    kind: Literal["transfer"] = "transfer"
    source: Sha256 = Field(description="The second picture.")
    along: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="The directions that are moved, and controls that take a picture and are set "
        "to the second one; all others stay.",
    )
    attributes: list[Name] = Field(
        default_factory=list,
        max_length=MOST_NAMES,
        description="Groups of directions that are moved whole, such as expression, hair or light.",
    )
    method: Literal["directions", "mapping"] = Field(
        default="directions",
        description="Along directions, or by the conditional mappings of the attributes.",
    )
    scale: Annotated[float, _within("scale")] = Field(
        default=1.0,
        description="How far of the way: 1 is where the second picture stands, 2 as far again; "
        "what takes a picture goes the whole way.",
    )
    identity: Annotated[float, _within("identity")] = Field(
        default=0.0, description="How hard the person is held while the rest moves, e.g. 1."
    )
    regions: _Regions = Field(default="auto", max_length=MOST_NAMES, description=_WHERE)

    @model_validator(mode="after")
    def _check_names(self) -> TransferRequest:
        if not (self.along or self.attributes):
            raise ValueError("Nothing to move: name directions (along) or attributes.")
        for kind, names in (("direction", self.along), ("attribute", self.attributes)):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"The {kind} {name} is given twice: give each name once.")
        return self


EditorRequest = EditRequest | InvertRequest | MixRequest | TransferRequest | RegionsRequest
LayerJobRequest = EditorRequest | FindRequest
WorkerJobRequest = LayerJobRequest | MakeRequest
JobRequest = WorkerJobRequest | InstallRequest
JOB_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(
    Annotated[JobRequest, Field(discriminator="kind")]
)
WORKER_JOB_REQUEST: TypeAdapter[WorkerJobRequest] = TypeAdapter(
    Annotated[WorkerJobRequest, Field(discriminator="kind")]
)
PREVIEW_REQUEST = TypeAdapter(PreviewRequest)

T = TypeVar("T")
R = TypeVar("R", bound=Model)


def build_request(model: type[R], /, **fields: Any) -> R:
    """A request from Python values; raises BadInputError in one sentence."""
    try:
        return model(**fields)
    except ValidationError as error:
        raise BadInputError(_explain_invalid(error)) from error


def parse_request(adapter: TypeAdapter[T], body: bytes | str) -> T:
    """A request from its JSON; raises BadInputError in one sentence."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise BadInputError(_explain_invalid(error)) from error


def _explain_invalid(error: ValidationError) -> str:
    """The first thing that is wrong, in one sentence for people."""
    first: Mapping[str, Any] = error.errors(include_url=False)[0]
    where = [str(part)[:100] for part in first["loc"]]
    kinds = ("edit", "mix", "transfer", "invert", "find", "make", "install")
    tagged = where[:1] == ["regions"] and where[1:2] and where[1] in RegionsRequest.model_fields
    if where and (where[0] in kinds or tagged):
        where = where[1:]  # Which schema was tried says nothing to a person.
    if where[:1] == ["regions"]:
        sentence = 'regions takes "auto", "whole" or a list of names such as ["hair"].'
    elif first["type"] == "value_error":
        sentence = str(first["msg"]).removeprefix("Value error, ")
    elif first["type"] in _OUT_OF_LIMITS and where and where[0] in LIMITS:
        low, high = LIMITS[where[0]]
        value = first["input"]
        huge = isinstance(value, int) and abs(value) > 10**15
        said = "too large" if huge else value
        sentence = f"{_subject(where)} is {said}: give a number between {low} and {high}."
    elif first["type"] == "literal_error":
        given = str(first["input"])[:100]
        sentence = f"{'.'.join(where)} is {given!r}: give {first['ctx']['expected']}."
    else:
        prefix = f"{'.'.join(where)}: " if where else ""
        sentence = f"The request cannot be used: {prefix}{first['msg']}."
    return "".join(letter if letter.isprintable() else "?" for letter in sentence)


_OUT_OF_LIMITS = ("greater_than_equal", "less_than_equal", "finite_number")


def _subject(where: list[str]) -> str:
    match where:
        case ["edits", name, *_]:
            return f"The strength of {name}"
        case ["targets", name, *_]:
            return f"The target of {name}"
        case _:
            return ".".join(where)
