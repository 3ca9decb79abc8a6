"""Presets: strengths under a name, one file each, to be kept and given to others."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .arguments import Edits, check_edits, is_layer
from .errors import PluginError
from .finder import config_folder
from .translate import _

VERSION = 1
SUFFIX = ".json"
LARGEST = 64 * 1024


@dataclass(frozen=True)
class SliderPreset:
    """``edits``: strengths and values by their controls. ``generator``: for which network."""

    name: str
    generator: str
    edits: Edits


def presets_folder() -> Path:
    """Where they lie, one file each."""
    return config_folder() / "presets"


def list_presets() -> list[SliderPreset]:
    """Those of this user, by name; a file that is none is left out."""
    found = []
    for path in sorted(presets_folder().glob(f"*{SUFFIX}")):
        try:
            found.append(load_preset(path))
        except PluginError:
            continue
    return found


def find_preset(name: str) -> SliderPreset:
    """The preset of that name; raises PluginError with those there are."""
    found = {preset.name: preset for preset in list_presets()}
    if name not in found:
        known = ", ".join(found) or _("none")
        text = _("There is no preset {name}: there are {known}.")
        raise PluginError(text.format(name=name, known=known))
    return found[name]


def load_preset(path: Path) -> SliderPreset:
    """The preset in a file; raises PluginError when it is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise ValueError("another version")
        edits = check_edits(document["edits"])
        return SliderPreset(
            str(document.get("name") or path.stem), str(document["generator"]), edits
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PluginError) as error:
        raise PluginError(
            _("{file} holds no preset of Latent-Fu: choose another.").format(file=path.name)
        ) from error


def save_preset(name: str, generator: str, edits: Mapping[str, float | str]) -> Path:
    """Keep edits under a name, in place of what had it; raises PluginError.

    Layers are left out: another image has others.
    """
    file = re.sub(r"[^\w .+-]+", "_", name).strip(" .")[:60]
    if not file:
        raise PluginError(_("Give the preset a name."))
    folder = presets_folder()
    kept = {one: value for one, value in edits.items() if not is_layer(value)}
    document = {"version": VERSION, "name": name, "generator": generator, "edits": kept}
    path = folder / f"{file}{SUFFIX}"
    part = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise PluginError(
            _("The preset could not be written to {path} ({reason}).").format(
                path=path, reason=error.strerror or error
            )
        ) from error
    return path
