"""Which picture file an edited one was made from, and how: so that an edit of it starts there.

An edit of an edit loses a little each time: the picture is inverted again and its detail moved
again. Where the first picture is still at hand, all strengths go to it at once instead. Kept are
hashes, names and strengths, no pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentfu.core.names import is_sha256
from latentfu.core.paths import cache_dir, make_private
from latentfu.storage.atomic import write_whole
from latentfu.storage.safetensors_file import file_sha256

VERSION = 1
MOST = 2000
"""So many edited files are remembered, the newest."""


@dataclass(frozen=True)
class EditState:
    """How a picture file was made.

    Attributes:
        original: The absolute path of the file that was edited.
        sha256: Of that file's bytes.
        edits: Every control and its strength, from that file on.
        how: What else was asked for, as JSON: an edit with other options does not go back.
    """

    original: str
    sha256: str
    edits: dict[str, float]
    how: str

    @property
    def at_hand(self) -> bool:
        """Whether the original still lies where it was, unchanged."""
        path = Path(self.original)
        return path.is_file() and file_sha256(path) == self.sha256

    def join_edits(self, edits: Mapping[str, float]) -> dict[str, float]:
        """Both edits as one of the original: strengths of one control are added."""
        names = [*self.edits, *(name for name in edits if name not in self.edits)]
        joined = {name: self.edits.get(name, 0.0) + edits.get(name, 0.0) for name in names}
        return {name: 0.0 if abs(part) < 1e-9 else part for name, part in joined.items()}


def describe_options(fields: Mapping[str, Any], mask: Path | None) -> str:
    """What decides, beside the strengths, what an edit gives; the mask by its content."""
    chosen = {**fields, "mask": file_sha256(mask) if mask is not None else None}
    return json.dumps(chosen, sort_keys=True, default=str)


def remember_edit(result: Path, state: EditState) -> None:
    """Keep how the file ``result`` was made; the oldest of too many are forgotten."""
    folder = make_private(cache_dir() / "edits")
    document = json.dumps({"version": VERSION, **asdict(state)})
    write_whole(folder / f"{file_sha256(result)}.json", document.encode(), mode=0o600)
    known = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in known[:-MOST]:
        path.unlink(missing_ok=True)


def recall_edit(picture: Path) -> EditState | None:
    """How the file ``picture`` was made; None when it is no remembered one, or was changed."""
    if not picture.is_file():
        return None
    path = cache_dir() / "edits" / f"{file_sha256(picture)}.json"
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != VERSION or not is_sha256(document["sha256"]):
            return None
        edits = {str(name): float(strength) for name, strength in document["edits"].items()}
        return EditState(str(document["original"]), document["sha256"], edits, str(document["how"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # never made, or damaged: the picture is edited as it is
