"""The trained conditional mappings of this machine, as controls that take a picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from latentfu import Control, ControlEffect, Generator, LatentFuError

from latentfu_builtin.conditional_mapping.mapping_file import (
    ENDING,
    read_attribute_names,
    read_mapping_facts,
)
from latentfu_builtin.lazy import call_later

_EFFECT = "latentfu_builtin.conditional_mapping.effect:open_effect"


def list_mapping_controls(folder: Path, generator_id: str) -> list[Control]:
    """The mappings in a folder for one generator as controls; damaged files are left out."""
    found: dict[str, Control] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            facts = read_mapping_facts(path)
            if facts["generator_id"] == generator_id:
                found.setdefault(facts["name"], _describe_control(path, facts))
        except (LatentFuError, ValueError):
            continue
    return list(found.values())


def _describe_control(path: Path, facts: Mapping[str, str]) -> Control:
    """A file as a control that is set to a picture."""
    state = path.stat()
    what = facts["name"].removesuffix(ENDING).replace("_", " ")
    return Control(
        name=facts["name"],
        title=f"{what.capitalize()} like",
        positive_means=f"the {what} of another picture, all else as it was",
        generator_id=facts["generator_id"],
        load=partial(_load_effect, path),
        kind="conditional",
        group=facts.get("group", "other"),
        widget="picture",
        licence=facts.get("licence", ""),
        facts={
            "attributes": list(read_attribute_names(facts["attributes"])),
            "scorer": facts["scorer"],
            "file": str(path),
            "version": f"{state.st_mtime_ns}-{state.st_size}",
        },
    )


def _load_effect(path: Path, generator: Generator) -> ControlEffect:
    """The effect of a file for the opened generator; raises LatentFuError."""
    effect: ControlEffect = call_later(_EFFECT)(path, generator)
    return effect
