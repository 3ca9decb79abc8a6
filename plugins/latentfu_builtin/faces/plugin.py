"""What this package brings: the aligner faces, and the command that lists them."""

from __future__ import annotations

from latentfu import Aligner, Command, hookimpl

from latentfu_builtin.lazy import call_later, later


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


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu faces list``."""
    target = "latentfu_builtin.faces.list_faces:list_faces_command"
    return [Command(("faces", "list"), "List a picture's faces by number.", later(target))]
