"""Putting deformations among the user's own: under a name that is free, each in its own file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import latentfu
from latentfu import BadInputError, LatentFuError

from latentfu_builtin.deformations.deformation import Deformation, read_facts, write_deformation
from latentfu_builtin.deformations.own import own_folder


def taken_by_others(generator_id: str) -> set[str]:
    """The names of a network's controls that are no files of the user's own deformations.

    One more control of such a name would put all of the user's deformations aside.
    """
    networks = [name for name, spec in latentfu.generators().items() if spec.id == generator_id]
    return {
        control.name
        for name in networks
        for control in latentfu.controls(name).values()
        if Path(str(control.facts.get("file", ""))).parent != own_folder()
    }


def refuse_taken(deformation: Deformation) -> None:
    """BadInputError where another control of the network has the name."""
    if deformation.name in taken_by_others(deformation.generator_id):
        raise BadInputError(
            f"There is a control {deformation.name!r} already: give another --name."
        )


def free_names(found: list[Deformation]) -> list[Deformation]:
    """The same, each with a name of its own that no other control has: smile, smile-2, ...

    For sets, whose names nobody chose one by one. All are of one network.
    """
    taken = taken_by_others(found[0].generator_id) if found else set()
    named = []
    for deformation in found:
        name, number = deformation.name, 1
        while name in taken:
            number += 1
            name = f"{deformation.name}-{number}"
        taken.add(name)
        named.append(replace(deformation, name=name))
    return named


def put_among_own(deformation: Deformation, folder: Path | None = None) -> Path:
    """Write it to the user's own (or to ``folder``), in place of the one it had before."""
    folder = folder or own_folder()
    return write_deformation(file_for(deformation, folder), deformation)


def file_for(deformation: Deformation, folder: Path) -> Path:
    """NAME.safetensors, or where another network's deformation lies there, one beside it."""
    path = folder / f"{deformation.name}.safetensors"
    if path.exists() and owner_of(path) != deformation.generator_id:
        return folder / f"{deformation.name}-{deformation.generator_id[:12]}.safetensors"
    return path


def owner_of(path: Path) -> str:
    """The network that a file's deformation is for; nothing for what is none."""
    try:
        return str(read_facts(path)["generator_id"])
    except LatentFuError:
        return ""
