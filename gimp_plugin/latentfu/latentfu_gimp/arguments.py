"""The texts that the procedures take: edits ("smile=2 yaw=-1") and layers ("4-7")."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import PluginError
from .translate import _

LARGEST_STRENGTH = 100.0
LARGEST_FEATHER = 1000.0
LARGEST_SCALE = 10.0
"""All as the server has them (latentfu.protocol.requests)."""


def parse_edits(text: str) -> dict[str, float]:
    """``"smile=2 yaw=-1"`` (spaces, commas or semicolons between) -> strengths by name.

    Raises PluginError for what is no ``name=number``, for a repeated name, and for a number that
    is not finite or outside -100..100.
    """
    edits: dict[str, float] = {}
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            continue
        name, equals, number = word.partition("=")
        if not name or not equals:
            raise PluginError(
                _('"{word}" is no edit: write name=number, such as smile=2.').format(word=word)
            )
        if name in edits:
            raise PluginError(
                _("The edit {name} is given twice: give each name once.").format(name=name)
            )
        edits[name] = _strength(name, number)
    return edits


def recall_edits(text: str | None) -> dict[str, float]:
    """Edits that were kept somewhere; empty when they cannot be read."""
    try:
        return parse_edits(text or "")
    except PluginError:
        return {}


def _strength(name: str, number: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength) or abs(strength) > LARGEST_STRENGTH:
        raise PluginError(
            _("The strength of {name} is {number}: give a number between -100 and 100.").format(
                name=name, number=number or _("missing")
            )
        )
    return strength


def format_edits(edits: Mapping[str, float]) -> str:
    """The text that :func:`parse_edits` reads back; zeros are left out."""
    return " ".join(f"{name}={strength:.6g}" for name, strength in edits.items() if strength)


def parse_layers(text: str) -> tuple[int, int]:
    """``"4-7"`` or ``"4"`` -> first and last layer, both included; raises PluginError."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*(?:(?:-|\.\.)\s*(\d{1,3}))?\s*", text)
    if not match:
        raise PluginError(
            _('"{text}" names no layers: write first-last, such as 4-7.').format(text=text)
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise PluginError(
            _("The layers {first}-{last} run backwards: write {last}-{first}.").format(
                first=first, last=last
            )
        )
    return first, last


def read_names(text: str) -> tuple[str, ...]:
    """``"smile yaw"`` (spaces, commas or semicolons between) -> names; raises PluginError."""
    names = [name for name in re.split(r"[\s,;]+", text.strip()) if name]
    if not names:
        raise PluginError(_("Nothing is chosen to be moved: name directions such as smile yaw."))
    for name in names:
        if names.count(name) > 1:
            raise PluginError(
                _("The direction {name} is given twice: give each name once.").format(name=name)
            )
    return tuple(names)


FAST, FAITHFUL = "fast", "faithful"
"""Words that stand in place of a method's name; nothing at all is between the two."""
_QUALITIES = {FAST: "draft", FAITHFUL: "best"}


def split_method(method: str) -> tuple[str, str]:
    """The name of a method, and the quality in its place; each empty for the server's default."""
    quality = _QUALITIES.get(method, "")
    return ("", quality) if quality else (method, "")


AS_LAYER, AS_MASKED, AS_GROUP = "layer", "masked", "group"
"""What a result becomes: a layer, one with selection and regions as its mask, a group."""
AUTO, WHOLE = "auto", "whole"
"""Where an edit may show: where its controls act, or the whole square around the face."""


def read_regions(text: str) -> str | list[str]:
    """``"auto"``, ``"whole"`` or names such as ``"hair skin"``; raises PluginError.

    Given as the server's requests take it.
    """
    names = re.split(r"[\s,;]+", text.strip()) if text.strip() else [AUTO]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name):
            raise PluginError(
                _('"{name}" is no region: write auto, whole, or names such as hair.').format(
                    name=name
                )
            )
    if names in ([AUTO], [WHOLE]):
        return names[0]
    if AUTO in names or WHOLE in names:
        raise PluginError(_("auto and whole stand alone: name regions, or one of the two."))
    return names


def write_regions(regions: str | list[str]) -> str:
    """The text that :func:`read_regions` reads back."""
    return regions if isinstance(regions, str) else " ".join(regions)


def layer_name(edits: Mapping[str, float]) -> str:
    """What the new layer is called: ``smile +2, yaw -0.05 (Latent-Fu)``.

    What was done comes first: GIMP's list of layers shows the beginning.
    """
    parts = [f"{name} {strength:+.3g}" for name, strength in edits.items() if strength]
    shown = ", ".join(parts[:4]) + (" ..." if len(parts) > 4 else "")
    return f"{shown} (Latent-Fu)" if shown else "Latent-Fu"


def name_mix(source: str, layers: tuple[int, int]) -> str:
    """What the new layer of a mix is called, from the source layer's name."""
    return _("{first}-{last} of {source} (Latent-Fu)").format(
        first=layers[0], last=layers[1], source=source
    )


def name_transfer(source: str, along: Sequence[str]) -> str:
    """What the new layer of a transfer is called, from the source layer's name."""
    shown = ", ".join(along[:4]) + (" ..." if len(along) > 4 else "")
    return _("{names} like {layer} (Latent-Fu)").format(names=shown, layer=source)


def read_common_arguments(config: Any) -> dict[str, Any]:
    """The network, method and soft border in a procedure's arguments, as jobs.Work takes them."""
    return {
        "generator": config.get_property("generator") or "",
        "inverter": config.get_property("inverter") or "",
        "feather": config.get_property("feather"),
    }
