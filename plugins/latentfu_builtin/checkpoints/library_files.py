"""What a person has made or brought for a network: directions, encoders, deformations, as files.

Each lies in a folder of the data folder under any name; its metadata say what it is called and
for which network it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import latentfu
from latentfu import BadInputError, data_dir, is_name, write_whole

KINDS = {"directions": "direction", "encoders": "encoder", "deformations": "deformation"}
"""The folder of each kind, and what one of it is called; its facts stand below that name."""


@dataclass(frozen=True)
class LibraryFile:
    """One file: its ``kind`` (a key of KINDS), its name here, and the network it is for."""

    path: Path
    kind: str
    name: str
    generator_id: str

    @property
    def megabytes(self) -> float:
        """Its size on disk."""
        return self.path.stat().st_size / 1e6


def _list_library(kind: str) -> list[LibraryFile]:
    """The files of one kind; what is none is left out."""
    found = []
    for path in sorted((data_dir() / kind).glob("*.safetensors")):
        metadata = latentfu.find_metadata(path)
        facts = _read_facts(metadata, kind)
        owner = str(facts.get("generator_id") or metadata.get("generator_id", ""))
        if owner:
            found.append(LibraryFile(path, kind, str(facts.get("name") or path.stem), owner))
    return found


def _read_facts(metadata: dict[str, str], kind: str) -> dict[str, Any]:
    """What is said of a direction or deformation; an encoder's facts are its metadata."""
    try:
        facts = json.loads(metadata.get(KINDS[kind], "{}"))
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def list_what_hangs_on(generator_id: str) -> list[LibraryFile]:
    """Everything of a person's own that is for one network."""
    return [
        file for kind in KINDS for file in _list_library(kind) if file.generator_id == generator_id
    ]


def describe_files(files: list[LibraryFile]) -> str:
    """How many of each kind, and how large: "3 directions, 1 encoder (1020 MB)"."""
    counts = [(kind, sum(file.kind == kind for file in files)) for kind in KINDS]
    words = [f"{n} {kind if n > 1 else KINDS[kind]}" for kind, n in counts if n]
    return f"{', '.join(words)} ({sum(file.megabytes for file in files):.1f} MB)"


def find_in_library(kind: str, name: str, generator: str | None) -> LibraryFile:
    """The one file of that name; BadInputError where there is none, or one for each of several."""
    ids = {spec.name: spec.id for spec in latentfu.generators().values()}
    if generator is not None and generator not in ids:
        raise BadInputError(f"There is no generator {generator!r}; installed: {', '.join(ids)}.")
    files = _list_library(kind)
    found = [
        file
        for file in files
        if file.name == name and generator in (None, _network_of(file, ids)[0])
    ]
    if len(found) == 1:
        return found[0]
    if found:
        where = ", ".join(sorted(_network_of(file, ids)[1] for file in found))
        raise BadInputError(
            f"There is a {KINDS[kind]} {name!r} for each of {where}: say which with --generator."
        )
    own = ", ".join(sorted({file.name for file in files})) or "none"
    raise BadInputError(f"You have no {KINDS[kind]} {name!r} of your own; there are: {own}.")


def _network_of(file: LibraryFile, ids: dict[str, str]) -> tuple[str | None, str]:
    """The installed network that a file is for, and words for it."""
    names = [name for name, number in ids.items() if number == file.generator_id]
    return (names[0], names[0]) if names else (None, f"{file.generator_id[:12]} (not installed)")


def rename_file(file: LibraryFile, name: str) -> Path:
    """Give a file another name; the path that it then has.

    Raises BadInputError for a name that cannot be, or that a file of the kind for the same network
    or a control of that network has.
    """
    if not is_name(name):
        raise BadInputError(f"The name {name!r} cannot be used: take a-z, 0-9, dot, _ and -.")
    networks = [s.name for s in latentfu.generators().values() if s.id == file.generator_id]
    controls = {name for network in networks for name in latentfu.controls(network)}
    taken = {one.name for one in _list_library(file.kind) if one.generator_id == file.generator_id}
    if name in taken or (file.kind != "encoders" and name in controls):
        raise BadInputError(f"There is a control or file {name!r} already: give another name.")
    target = file.path.with_name(f"{name}.safetensors")
    if target.exists():
        target = file.path.with_name(f"{name}-{file.generator_id[:12]}.safetensors")
    write_whole(target, _renamed(file, name))
    file.path.unlink()
    return target


def _renamed(file: LibraryFile, name: str) -> bytes:
    """The bytes of a file with another name in its metadata; its tensors are as they were."""
    data = file.path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header["__metadata__"]
    key = KINDS[file.kind]
    if file.kind != "encoders":
        metadata[key] = json.dumps(json.loads(metadata[key]) | {"name": name}, sort_keys=True)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]
