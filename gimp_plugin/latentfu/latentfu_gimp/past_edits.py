"""The edits that were applied last: kept in GIMP's own settings, to be taken again."""

from __future__ import annotations

from collections.abc import Mapping

from .arguments import LAYER, TATTOO, format_edits, layer_name, parse_edits
from .errors import PluginError
from .kept_settings import keep_setting, recall_setting
from .presets import SliderPreset

_NAME = "past-edits"
MOST = 12
"""As many are kept."""


def keep_past_edit(generator: str, edits: Mapping[str, float | str]) -> None:
    """Put an edit in front of those before; the same one stands there once."""
    kept = {name: value for name, value in edits.items() if not _is_layer(value)}
    new = {"generator": generator, "edits": format_edits(kept)}
    if new["edits"]:
        keep_setting(_NAME, [new, *(one for one in _read() if one != new)][:MOST])


def list_past_edits() -> list[SliderPreset]:
    """The newest first, each named by what it moves."""
    found = []
    for one in _read():
        try:
            edits = parse_edits(one["edits"])
        except PluginError:
            continue
        name = layer_name(edits).removesuffix(" (Latent-Fu)")
        found.append(SliderPreset(name, one["generator"], edits))
    return found


def _is_layer(value: float | str) -> bool:
    """Whether it names a layer, which no other image has."""
    return isinstance(value, str) and value.startswith((LAYER, TATTOO))


def _read() -> list[dict[str, str]]:
    try:
        return [
            {key: str(one[key]) for key in ("generator", "edits")}
            for one in recall_setting(_NAME) or []
        ]
    except (TypeError, KeyError):
        return []
