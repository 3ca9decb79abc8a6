"""The user's own deformations, from the data folder: a plug-in of their own.

Each is put there in a file of its own, under a name that is free.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import latentfu
from latentfu import Control, GeneratorSpec, data_dir, hookimpl

if TYPE_CHECKING:
    from latentfu import Deformation


def user_deformations_folder() -> Path:
    """Where kept and imported deformations lie."""
    return data_dir() / "deformations"


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The deformations in the user's folder, the first of each name."""
    from latentfu import deformations_in

    found: dict[str, Control] = {}
    for control in deformations_in(user_deformations_folder(), generator.id):
        found.setdefault(control.name, control)
    return list(found.values())


def _names_of_others(generator_id: str) -> set[str]:
    """The names of a network's controls that are no files of the user's own deformations.

    One more control of such a name would put all of the user's deformations aside.
    """
    networks = [name for name, spec in latentfu.generators().items() if spec.id == generator_id]
    return {
        control.name
        for name in networks
        for control in latentfu.controls(name).values()
        if Path(str(control.facts.get("file", ""))).parent != user_deformations_folder()
    }


def refuse_taken_deformation(deformation: Deformation) -> None:
    """BadInputError where another control of the network has the name."""
    if deformation.name in _names_of_others(deformation.generator_id):
        raise latentfu.BadInputError(
            f"There is a control {deformation.name!r} already: give another --name."
        )


def give_free_names(found: list[Deformation]) -> list[Deformation]:
    """The same, each with a name of its own that no other control has: smile, smile-2, ...

    For sets, whose names nobody chose one by one. All are of one network.
    """
    taken = _names_of_others(found[0].generator_id) if found else set()
    named = []
    for deformation in found:
        name, number = deformation.name, 1
        while name in taken:
            number += 1
            name = f"{deformation.name}-{number}"
        taken.add(name)
        named.append(replace(deformation, name=name))
    return named


def save_to_library(deformation: Deformation, folder: Path | None = None) -> Path:
    """Write it to the user's own (or to ``folder``), in place of the one it had before."""
    from latentfu import write_deformation

    folder = folder or user_deformations_folder()
    return write_deformation(_choose_file(deformation, folder), deformation)


def _choose_file(deformation: Deformation, folder: Path) -> Path:
    """NAME.safetensors, or where another network's deformation lies there, one beside it."""
    path = folder / f"{deformation.name}.safetensors"
    if path.exists() and _read_owner(path) != deformation.generator_id:
        return folder / f"{deformation.name}-{deformation.generator_id[:12]}.safetensors"
    return path


def _read_owner(path: Path) -> str:
    """The network that a file's deformation is for; nothing for what is none."""
    from latentfu import read_deformation

    try:
        return read_deformation(path).generator_id
    except latentfu.LatentFuError:
        return ""
