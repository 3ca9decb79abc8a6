"""Where the work is done: in the running server (networks warm, shared with GIMP), or here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict

from latentfu.cli.options import Choice
from latentfu.core.layer import Layer, MaskPixels
from latentfu.core.progress import Progress

if TYPE_CHECKING:
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.placement import Placement


@dataclass(frozen=True)
class Done:
    """The finished layer and the report of docs/http-api.md. ``place``: "server" or "here"."""

    layer: Layer
    report: Mapping[str, object]
    place: str


class Place(Protocol):
    """Something that edits and mixes."""

    def edit(
        self,
        layer: Layer,
        edits: Mapping[str, float],
        choice: Choice,
        progress: Progress,
    ) -> Done:
        """The layer with controls moved."""

    def mix(
        self,
        layer: Layer,
        source: Layer,
        layers: tuple[int, int],
        choice: Choice,
        progress: Progress,
    ) -> Done:
        """The layer with styles of the source."""


class Here:
    """This process: loads the networks (seconds), needs no server."""

    def edit(
        self,
        layer: Layer,
        edits: Mapping[str, float],
        choice: Choice,
        progress: Progress,
    ) -> Done:
        from latentfu.pipeline.apply_controls import DEFAULT_EDIT_OPTIONS
        from latentfu.pipeline.editor import EditRequest

        editor, name = open_editor(choice)
        ways = choice.ways or DEFAULT_EDIT_OPTIONS
        request = EditRequest(layer, edits, generator=name, ways=ways, **common(choice))
        outcome = editor.edit(request, progress)
        return Done(outcome.layer, outcome.report, "here")

    def mix(
        self,
        layer: Layer,
        source: Layer,
        layers: tuple[int, int],
        choice: Choice,
        progress: Progress,
    ) -> Done:
        from latentfu.pipeline.editor import MixRequest

        editor, name = open_editor(choice)
        request = MixRequest(layer, source, layers, generator=name, **common(choice))
        outcome = editor.mix(request, progress)
        return Done(outcome.layer, outcome.report, "here")


class Common(TypedDict):
    """What every request takes, but for the generator."""

    inverter: str | None
    aligner: str | None
    mask: MaskPixels | None
    feather: float
    psi: float
    quality: str | None
    placing: Placement


def common(choice: Choice) -> Common:
    """What every request takes, but for the generator."""
    return {
        "inverter": choice.inverter,
        "aligner": choice.aligner,
        "mask": choice.mask,
        "feather": choice.feather,
        "psi": choice.psi,
        "quality": choice.place.quality,
        "placing": choice.place.placing(),
    }


def open_editor(choice: Choice) -> tuple[Editor, str | None]:
    """An editor on the best device, and the name under which it knows the chosen generator."""
    from latentfu.api import best_device, open_generator
    from latentfu.pipeline.editor import Editor

    editor = Editor(best_device())
    if choice.generator is None or not is_file(choice.generator):
        return editor, choice.generator
    return editor, editor.studio.adopt(open_generator(choice.generator))


def is_file(generator: str) -> bool:
    """A generator given as a file can not be named to the server."""
    return Path(generator).is_file()


def place(local: bool, choice: Choice) -> Place:
    """The server if one runs and can be asked, else here."""
    if (
        local
        or choice.ways is not None
        or (choice.generator is not None and is_file(choice.generator))
    ):
        return Here()
    from latentfu.cli.server_backend import find_server

    return find_server() or Here()
