"""What this package brings: the aligner faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentfu import Aligner, Quad, hookimpl

if TYPE_CHECKING:
    import numpy as np


def find(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The squares of all faces, largest first."""
    from latentfu_builtin.faces.align import find

    return find(rgb)


def place(eyes: tuple[Any, Any], mouth: Any) -> Quad:
    """The same square from points given by hand."""
    from latentfu import face_quad

    return face_quad(eyes, mouth)


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """Faces as networks trained on FFHQ want them; outside the photo a mirror fades to a blur."""
    return [
        Aligner(
            name="faces",
            title="Faces by their landmarks",
            domains=("faces",),
            find=find,
            place=place,
            padding="blur",
        )
    ]
