"""What is known of published sets: names, which way is +, spaces, layers, licences.

A file is known by its sha256, or by its name within a set that a person has named. Signs are
made to agree: the same attribute has + on the same side in every set, since the published files
point to opposite sides (their cosines were measured).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from latentfu import BadInputError, Space

_CATALOGUE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class PublishedEntry:
    """What the manifest says of a file; empty where it says nothing."""

    set: str = ""
    name: str = ""
    attribute: str = ""
    plus: str = ""
    space: Space | None = None
    sign: int = 1
    layers: tuple[int, int] | None = None
    made_for: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""

    @property
    def family(self) -> str:
        """The architecture that it was made for, e.g. "StyleGAN2"; "" where that is not known."""
        return self.made_for.split(" ", 1)[0]


@cache
def _read_catalogue() -> dict[str, Any]:
    """The table of known sets and files."""
    content: dict[str, Any] = json.loads(_CATALOGUE.read_text(encoding="utf-8"))
    return content


def look_up_file(sha256: str, file: str, of_set: str | None) -> PublishedEntry:
    """What is known of the file with this hash, or of one with this name in ``of_set``."""
    table = _read_catalogue()
    entry = table["files"].get(sha256)
    if entry is None and of_set is None:
        return PublishedEntry()
    if entry is None:
        entry = _look_up_name(Path(file).stem.lower(), str(of_set))
    words = table["sets"][entry["set"]]
    layers = entry.get("layers", words.get("layers"))
    return PublishedEntry(
        set=entry["set"],
        name=entry.get("name", ""),
        attribute=entry.get("attribute", ""),
        plus=entry.get("plus", ""),
        space=entry.get("space", words.get("space")),
        sign=entry.get("sign", 1),
        layers=(layers[0], layers[1]) if layers else None,
        made_for=entry.get("made_for", words.get("made_for", "")),
        author=words["author"],
        licence=words["licence"],
        source=words["source"],
    )


def _look_up_name(stem: str, of_set: str) -> dict[str, Any]:
    """An entry made of what a set says of all its files."""
    sets = _read_catalogue()["sets"]
    if of_set not in sets:
        raise BadInputError(f"There is no known set {of_set!r}; known: {', '.join(sets)}.")
    words = sets[of_set]
    for entry in _read_catalogue()["files"].values():
        if entry["set"] == of_set and Path(entry["file"]).stem.lower() == stem:
            return dict(entry)
    renamed = words.get("renamed", {}).get(stem, stem)
    return {"set": of_set, "name": renamed, "sign": words.get("signs", {}).get(stem, 1)}
