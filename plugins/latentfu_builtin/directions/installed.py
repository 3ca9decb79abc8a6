"""Directions that are installed for a generator, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import latentfu
from latentfu import (
    Direction,
    Generator,
    NotInstalledError,
    WrongGeneratorError,
    read_direction,
)


def installed(generator: Generator) -> dict[str, Path]:
    """The files of the installed directions of a generator, by name."""
    found = latentfu.controls(generator).values()
    files = {c.name: c.facts.get("file") for c in found if c.kind == "direction"}
    return {name: Path(str(file)) for name, file in files.items() if file}


def directions_named(names: Sequence[str], generator: Generator) -> list[Direction]:
    """These directions, by name or file; raises NotInstalledError for one that is not there."""
    known = installed(generator)
    found = []
    for name in names:
        path = known.get(name, Path(name))
        if not path.is_file():
            raise NotInstalledError(
                f"There is no direction {name!r} for {generator.name}; installed: "
                f"{', '.join(sorted(known)) or 'none'}."
            )
        direction = read_direction(path)
        if direction.generator_id != generator.id:
            raise WrongGeneratorError(
                f"The direction {name} was made for {direction.generator or 'another generator'} "
                f"({direction.generator_id[:12]}), not for {generator.name}: take one that was."
            )
        found.append(direction)
    return found
