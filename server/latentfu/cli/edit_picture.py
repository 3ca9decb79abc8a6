"""One picture edited in memory: what was asked for, where it begins, every face of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.cli.backend import Backend, Done, OpenedEditor, collect_fields, open_editor
from latentfu.cli.options import request_fields
from latentfu.cli.pictures import PictureFile, read_picture_file
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress, between
from latentfu.protocol.pictures import PictureStore
from latentfu.storage.edit_history import (
    EditState,
    describe_options,
    recall_edit,
    remember_edit,
)
from latentfu.storage.safetensors_file import file_sha256

if TYPE_CHECKING:
    from latentfu.core.crop import Quad


@dataclass(frozen=True)
class EditWish:
    """What a person wants done to a picture.

    Attributes:
        edits: Controls and their strengths.
        values: What controls are set to that are no sliders; a picture as ``@FILE``.
        fields: The other options, as the command line collects them.
        mask: A picture that is white where the edit may change something.
        all_faces: Whether every face is edited, one after the other.
    """

    edits: Mapping[str, float]
    values: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    mask: Path | None = None
    all_faces: bool = False

    @property
    def how(self) -> str:
        """All but the strengths, as text that is the same for the same wish."""
        named = {"values": _describe_values(self.values)} if self.values else {}
        return describe_options({**self.fields, "all_faces": self.all_faces, **named}, self.mask)

    @property
    def adds_up(self) -> bool:
        """Whether a later edit may begin from the same file, the strengths being added."""
        return "targets" not in self.fields

    def with_edits(self, edits: Mapping[str, float]) -> EditWish:
        """The same wish with other strengths."""
        return replace(self, edits=dict(edits))

    def describe(self) -> str:
        """What is moved, as one would type it."""
        moved = {**self.edits, **request_fields(dict(self.fields)).get("targets", {})}
        return " ".join(
            [f"{name}={strength:g}" for name, strength in moved.items()]
            + [f"{name}={value}" for name, value in self.values.items()]
        )

    def remember(self, output: Path, source: EditState) -> None:
        """Keep how ``output`` was made, where a later edit may begin from its source."""
        if self.adds_up and output.absolute() != Path(source.original):
            remember_edit(output, source)


@dataclass(frozen=True)
class EditedPicture:
    """What became of a picture: ``reports`` of each face, ``last`` with the finished layer."""

    last: Done
    reports: list[Mapping[str, Any]]

    @property
    def layer(self) -> Layer:
        """The picture with every face edited."""
        return self.last.layer


def edit_picture(
    picture: PictureFile,
    wish: EditWish,
    backend: Backend,
    progress: Progress,
    opened: OpenedEditor | None = None,
) -> EditedPicture:
    """Do what is wanted, face after face; raises LatentFuError.

    ``opened``: an editor that knows the generator already, and its name there.
    """
    from latentfu.protocol.requests import EditRequest, build_request

    places = [dict(wish.fields)]
    if wish.all_faces:  # found once: an edit may change what would be found, and its order
        quads = _find_faces(picture, wish.fields, opened)
        places = [{**wish.fields, "corners": quad.corners} for quad in quads]
    reports: list[Mapping[str, Any]] = []
    layered = picture
    for before, place in enumerate(places):
        pictures = PictureStore()
        common = {
            **collect_fields(pictures, layered, wish.mask, place),
            **_collect_values(pictures, wish.values),
        }
        request = build_request(EditRequest, edits=dict(wish.edits), **common)
        part = between(progress, before / len(places), (before + 1) / len(places))
        done = backend.run(request, pictures, part)
        layered = replace(layered, pixels=done.layer.pixels)
        reports.append(done.report)
    return EditedPicture(done, reports)


def find_start(image: Path, wish: EditWish, fresh: bool) -> tuple[EditState, str]:
    """The file to be edited and all that is done to it, and what to tell the person of it.

    It is ``image``, or the file that ``image`` was made from by an edit of the same kind, where
    that is still there; ``fresh``: the first in any case.
    """
    known = None if fresh or not wish.adds_up else recall_edit(image)
    own = EditState(
        str(image.absolute()), file_sha256(image) if image.is_file() else "",
        dict(wish.edits), wish.how,
    )  # fmt: skip
    if known is None or known.how != own.how:
        return own, ""
    if not known.at_hand:
        return own, (
            f"{known.original}, which {image} was made from, is gone or changed: {image} itself "
            f"is edited."
        )
    joined = replace(known, edits=known.join_edits(wish.edits))
    return joined, f"{image} was made from {known.original}: that is edited again."


def describe_fit(report: Mapping[str, Any]) -> str:
    """The inversion's figure and its fit."""
    fit = f", fit {report['fit']}" if "fit" in report else ""  # an older server says none
    return f"inversion {report.get('psnr', 0):.1f} dB{fit}"


def _collect_values(pictures: PictureStore, values: Mapping[str, str]) -> dict[str, Any]:
    """What controls are set to that are no sliders, as fields of a request; ``@FILE`` is read."""
    exemplars = {
        name: pictures.add(Layer(read_picture_file(Path(value[1:])).pixels))
        for name, value in values.items()
        if value.startswith("@")
    }
    words = {name: value for name, value in values.items() if name not in exemplars}
    return {"values": words, "exemplars": exemplars}


def _describe_values(values: Mapping[str, str]) -> dict[str, str]:
    """The values, and for pictures their contents."""

    def describe(value: str) -> str:
        file = Path(value[1:])
        return file_sha256(file) if value.startswith("@") and file.is_file() else value

    return {name: describe(each) for name, each in values.items()}


def _find_faces(
    picture: PictureFile, fields: Mapping[str, Any], opened: OpenedEditor | None
) -> list[Quad]:
    """Every square that the aligner finds; raises BadInputError where it finds none.

    A network's own aligner may know one subject a picture. If nobody named it and it is for faces
    (it places squares by eyes and mouth), one that finds more faces takes its place.
    """
    from latentfu.pipeline.align import find_all_quads, find_quads
    from latentfu.plugin_manager import get_registry, pick
    from latentfu.plugin_objects import Aligner

    editor, name = opened or open_editor(fields.get("generator"))
    wanted = fields.get("aligner") or editor.generators.find_spec(name).aligner
    aligners, layer = get_registry().installed(Aligner), Layer(picture.pixels)
    aligner = pick(aligners, wanted, "aligner")
    others = [one for one in aligners.values() if "faces" in one.domains and one != aligner]
    if "aligner" in fields or aligner.place is None or not others:
        return find_all_quads(layer, aligner)
    several = find_quads(layer, others[0])
    return several if len(several) > 1 else find_all_quads(layer, aligner)
