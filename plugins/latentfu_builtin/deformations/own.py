"""The user's own deformations, from the data folder: a plug-in of their own."""

from __future__ import annotations

from pathlib import Path

from latentfu import Control, GeneratorSpec, data_dir, hookimpl


def own_folder() -> Path:
    """Where kept and imported deformations lie."""
    return data_dir() / "deformations"


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The deformations in the user's folder, the first of each name."""
    from latentfu_builtin.deformations.control import deformations_in

    found: dict[str, Control] = {}
    for control in deformations_in(own_folder(), generator.id):
        found.setdefault(control.name, control)
    return list(found.values())
