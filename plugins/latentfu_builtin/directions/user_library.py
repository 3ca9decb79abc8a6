"""The user's own directions, from the data folder: a plug-in of their own.

Apart from the makers, so that a file whose name is taken puts only these sliders aside, not
the commands that made it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import latentfu
from latentfu import (
    Control,
    GeneratorSpec,
    call_plugin,
    data_dir,
    directions_in,
    find_direction,
    hookimpl,
)

if TYPE_CHECKING:
    from latentfu import Direction, Generator


def user_folder() -> Path:
    """Where trained and imported directions lie."""
    return data_dir() / "directions"


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The directions in the user's folder, the first of each name."""
    found: dict[str, Control] = {}
    for control in directions_in(user_folder(), generator.id):
        found.setdefault(control.name, control)
    return list(found.values())


def refuse_taken_name(name: str, out: Path, generator: Generator) -> None:
    """Refuse a name that another control has, unless it is the file to be replaced."""
    control = latentfu.controls(generator).get(name)
    if out != user_folder() or control is None:
        return
    if Path(str(control.facts.get("file", ""))).parent != user_folder():
        raise latentfu.BadInputError(f"There is a control {name!r} already: give another --name.")


def save_direction(direction: Direction, folder: Path | None = None) -> Path:
    """Write it to the user's own (or to ``folder``) as NAME.safetensors; the file.

    Where another network's direction of that name lies, it gets a name beside it. Among the user's
    own, the one of the same network and name that it replaces is put into the folder ``replaced``.
    """
    from latentfu import write_direction

    path = choose_file(folder or user_folder(), direction.name, direction.generator_id)
    if path.parent == user_folder() and path.is_file():
        old = path.read_bytes()
        write_direction(path, direction)
        if path.read_bytes() != old:
            _keep_replaced(path, old)
        return path
    return write_direction(path, direction)


def choose_file(folder: Path, name: str, generator_id: str) -> Path:
    """The file of a direction: its own, or one that is no other network's."""
    path = folder / f"{name}.safetensors"
    if path.exists() and _owner_of(path) != generator_id:
        return folder / f"{name}-{generator_id[:12]}.safetensors"
    return path


def _keep_replaced(path: Path, old: bytes) -> Path:
    """Put what stood at ``path`` into the folder ``replaced`` beside it, under a number."""
    folder, number = path.parent / "replaced", 1
    while (folder / f"{path.stem}.{number}.safetensors").exists():
        number += 1
    kept = folder / f"{path.stem}.{number}.safetensors"
    latentfu.write_whole(kept, old)
    return kept


def _owner_of(path: Path) -> str:
    """The id of the network that a file's direction is for; nothing for what is none."""
    try:
        held = json.loads(latentfu.find_metadata(path).get("direction", "{}"))
        return str(held["generator_id"])
    except (ValueError, KeyError, TypeError):
        return ""


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
