"""The user's own directions, from the data folder: a plug-in of their own.

Apart from the makers, so that a file whose name is taken puts only these sliders aside, not
the commands that made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import latentfu
from latentfu import (
    Control,
    GeneratorSpec,
    call_plugin,
    directions_in,
    find_direction,
    hookimpl,
    own_directions_dir,
)

if TYPE_CHECKING:
    from latentfu import Direction, Generator


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The directions in the user's folder, the first of each name."""
    found: dict[str, Control] = {}
    for control in directions_in(own_directions_dir(), generator.id):
        found.setdefault(control.name, control)
    return list(found.values())


def list_direction_files(generator: Generator) -> dict[str, Path]:
    """The files of the installed directions of a generator, by name."""
    found = latentfu.controls(generator).values()
    files = {c.name: c.facts.get("file") for c in found if c.kind == "direction"}
    return {name: Path(str(file)) for name, file in files.items() if file}


def list_computed_directions(generator: Generator) -> dict[str, Control]:
    """The directions that plug-ins compute, by name: those that come from no file."""
    found = latentfu.controls(generator).values()
    return {c.name: c for c in found if c.kind == "direction" and not c.facts.get("file")}


def compute_direction(control: Control, generator: Generator) -> Direction:
    """A computed control as a direction; raises BadInputError where it moves along no line."""
    effect = call_plugin(control, "was loaded", lambda: control.load_for(generator))
    return call_plugin(control, "moved", lambda: find_direction(control, effect, generator))


def read_directions(names: Sequence[str], generator: Generator) -> list[Direction]:
    """These directions, by name or file; raises NotInstalledError for one that is not there."""
    from latentfu import NotInstalledError, WrongGeneratorError, read_direction

    known = list_direction_files(generator)
    computed = list_computed_directions(generator)
    found = []
    for name in names:
        if name in computed and name not in known:
            found.append(compute_direction(computed[name], generator))
            continue
        path = known.get(name, Path(name))
        if not path.is_file():
            raise NotInstalledError(
                f"There is no direction {name!r} for {generator.name}; installed: "
                f"{', '.join(sorted({*known, *computed})) or 'none'}."
            )
        direction = read_direction(path)
        if direction.generator_id != generator.id:
            raise WrongGeneratorError(
                f"The direction {name} was made for {direction.generator or 'another generator'} "
                f"({direction.generator_id[:12]}), not for {generator.name}: take one that was."
            )
        found.append(direction)
    return found
