"""What this room brings: the parser of faces, and the commands that make it."""

from __future__ import annotations

from pathlib import Path

from latentfu import Command, RegionParser, hookimpl

from latentfu_builtin.lazy import call_later, later
from latentfu_builtin.people.region_names import REGIONS

_ROOM = "latentfu_builtin.regions"
_WEIGHTS = Path(__file__).parent / "weights" / "parser.safetensors"


@hookimpl
def latentfu_region_parsers() -> list[RegionParser]:
    """The regions of a face, learned from rendered people."""
    if not _WEIGHTS.is_file():
        return []
    return [
        RegionParser(
            name="faces",
            title="Regions of a face",
            domains=("faces",),
            regions=REGIONS,
            load=call_later(f"{_ROOM}.network:load_region_parser"),
            least_surety=0.7,
            changes=call_later(f"{_ROOM}.network:read_changes"),
            things=("background", "clothes", "glasses", "hat", "earrings"),
            textures=("background", "hair", "clothes", "hat"),
            turning=tuple(n for n in REGIONS if n not in ("background", "neck", "clothes")),
            licence="MIT",
        )
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Making the parser again."""
    return [
        Command(
            ("train", "parser"),
            "Train the parser of face regions on rendered people.",
            later(f"{_ROOM}.cli:train_parser_command"),
        ),
        Command(
            ("train", "region-changes"),
            "Measure which regions each factor of the people renderer changes.",
            later(f"{_ROOM}.cli:measure_changes_command"),
        ),
    ]
