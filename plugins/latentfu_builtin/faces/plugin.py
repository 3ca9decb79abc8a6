"""What this package brings: the aligner faces."""

from __future__ import annotations

from latentfu import Aligner, hookimpl

from latentfu_builtin.lazy import call_later


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """Faces as networks trained on FFHQ want them; outside the photo a mirror fades to a blur."""
    return [
        Aligner(
            name="faces",
            title="Faces by their landmarks",
            domains=("faces",),
            find=call_later("latentfu_builtin.faces.detect:find_face_squares"),
            place=call_later("latentfu:face_quad"),
            padding="blur",
        )
    ]
