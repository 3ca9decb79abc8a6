"""What the worker needs of the module that edits: the pipeline's editor, or a stand-in of tests."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from latentfu.core.layer import Layer
    from latentfu.core.progress import Progress


class Outcome(Protocol):
    """An edited layer and what the work says of itself."""

    @property
    def layer(self) -> Layer: ...

    @property
    def report(self) -> Mapping[str, object]: ...


class Editor(Protocol):
    """Holds loaded networks and does one thing at a time on one device."""

    def edit(self, request: Any, progress: Progress = ...) -> Outcome: ...

    def mix(self, request: Any, progress: Progress = ...) -> Outcome: ...

    def invert(self, request: Any, progress: Progress = ...) -> Outcome: ...

    def preview(
        self,
        request: Any,
        side: int,
        progress: Progress = ...,
        *,
        quick: int = ...,
        check: Callable[[], None] = ...,
    ) -> Layer: ...

    def is_inverted(self, request: Any) -> bool: ...


class Editing(Protocol):
    """The module: the editor and the two requests it takes."""

    Editor: Callable[[str], Editor]
    EditRequest: Callable[..., Any]
    MixRequest: Callable[..., Any]


def load_editing(module: str) -> Editing:
    """Import the module that edits (slow: it may import torch)."""
    return cast("Editing", importlib.import_module(module))


def choose_device(wanted: str) -> str:
    """``auto`` is the first CUDA device if torch sees one, else the processor."""
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
