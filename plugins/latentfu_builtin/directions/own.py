"""The user's own directions, from the data folder: a plug-in of their own.

Apart from the makers, so that a file whose name is taken puts only these sliders aside, not
the commands that made it.
"""

from __future__ import annotations

from pathlib import Path

from latentfu import Control, GeneratorSpec, data_dir, directions_in, hookimpl


def own_folder() -> Path:
    """Where trained and imported directions lie."""
    return data_dir() / "directions"


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The directions in the user's folder, the first of each name."""
    found: dict[str, Control] = {}
    for control in directions_in(own_folder(), generator.id):
        found.setdefault(control.name, control)
    return list(found.values())
