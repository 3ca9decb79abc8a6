"""The texts that the procedures take: edits ("smile=2 yaw=-1") and layers ("4-7")."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import PluginError
from .translate import _

LARGEST_STRENGTH = 100.0
LARGEST_FEATHER = 1000.0
LARGEST_SCALE = 10.0
"""All as the server has them (latentfu.protocol.requests)."""


Edits = dict[str, float | str]
"""Controls by name: of a slider its strength, of any other what it is set to, as a text.

A picture is ``@`` and the path of a file, or ``@layer:`` and the name of a layer of the image; a
text that begins with ``@`` has it twice.
"""
_QUOTED = r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'"
_POINT = r"-?[\d.]+,-?[\d.]+(?=[\s,;]|$)"
_WORD = re.compile(rf"[\s,;]*(?:([^\s,;=]+)(?:=({_QUOTED}|{_POINT}|[^\s,;]*))?|(=\S*))")


def parse_edits(text: str) -> Edits:
    """``smile=2 hat="top hat" mole=120,80`` (also commas or semicolons between) -> by name.

    Raises PluginError for what is no ``name=value``, for a repeated name, and for a number that
    is not finite or outside -100..100.
    """
    edits: Edits = {}
    for match in _WORD.finditer(text.rstrip(" \t\n,;")):
        name, value, odd = match.groups()
        if odd or value is None:
            raise PluginError(
                _('"{word}" is no edit: write name=number, such as smile=2.').format(
                    word=odd or name
                )
            )
        if name in edits:
            raise PluginError(
                _("The edit {name} is given twice: give each name once.").format(name=name)
            )
        edits[name] = _read_value(name, value)
    return edits


Options = dict[str, bool | int | float | str]
"""Options of a method by name."""


def parse_options(text: str) -> Options:
    """``steps=200 losses=pixels:1,auto:1`` (blanks between, quotes around blanks) -> by name.

    Raises PluginError for what is no ``name=value`` and for a repeated name.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise PluginError(_("A quotation mark is not closed: write name=value.")) from None
    options: Options = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals or name in options:
            raise PluginError(
                _('"{word}" is no option: write each name once, as in steps=200.').format(word=word)
            )
        options[name] = _read_option(value)
    return options


def _read_option(written: str) -> bool | int | float | str:
    """What it looks like; the server says so when it should be something else."""
    if written.lower() in ("true", "false"):
        return written.lower() == "true"
    for kind in (int, float):
        try:
            number = kind(written)
        except ValueError:
            continue
        return number if math.isfinite(number) else written
    return written


def recall_options(text: str | None) -> Options:
    """Options that were kept somewhere; none when they cannot be read."""
    try:
        return parse_options(text or "")
    except PluginError:
        return {}


def format_options(options: Options) -> str:
    """The text that :func:`parse_options` reads back."""
    return shlex.join(f"{name}={value}" for name, value in options.items())


def recall_edits(text: str | None) -> Edits:
    """Edits that were kept somewhere; empty when they cannot be read."""
    try:
        return parse_edits(text or "")
    except PluginError:
        return {}


def _read_value(name: str, written: str) -> float | str:
    """A number without quotes is a strength, all else a value."""
    if written.startswith("'"):
        return written[1:-1]
    if written.startswith('"'):
        try:
            return str(json.loads(written))
        except ValueError:
            return written[1:-1]
    try:
        strength = float(written or "nan")
    except ValueError:
        return written
    return check_strength(name, strength, written)


def check_strength(name: str, strength: float, written: str = "") -> float:
    """The strength of a slider; raises PluginError for one beyond all sense."""
    if not math.isfinite(strength) or abs(strength) > LARGEST_STRENGTH:
        raise PluginError(
            _("The strength of {name} is {number}: give a number between -100 and 100.").format(
                name=name, number=written or _("missing")
            )
        )
    return strength


def check_edits(edits: Mapping[str, Any]) -> Edits:
    """Edits from a file; raises PluginError or ValueError."""
    checked: Edits = {}
    for name, value in edits.items():
        if isinstance(value, str):
            checked[str(name)] = value
        else:
            number = float(value)
            checked[str(name)] = check_strength(str(name), number, str(value))
    return checked


def format_edits(edits: Mapping[str, float | str]) -> str:
    """The text that :func:`parse_edits` reads back, in ASCII; what is 0 or empty is left out."""
    return " ".join(f"{name}={_write_value(value)}" for name, value in edits.items() if value)


def _write_value(value: float | str) -> str:
    if isinstance(value, str):
        plain = re.fullmatch(rf"[A-Za-z#@/][\w#@/.:-]*|{_POINT}", value, re.ASCII)
        return value if plain and value.lower() not in _NUMBERS else json.dumps(value)
    return f"{value:.6g}"


_NUMBERS = ("nan", "inf", "infinity")


def is_picture(value: float | str) -> bool:
    """Whether it is a file or a layer."""
    return isinstance(value, str) and value.startswith("@") and not value.startswith("@@")


LAYER, TATTOO = "@layer:", "@tattoo:"
"""Before the name of a layer, and before what GIMP knows it by when it is renamed."""


def is_layer(value: float | str) -> bool:
    """Whether it is a picture that is a layer."""
    return isinstance(value, str) and value.startswith((LAYER, TATTOO))


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


def layer_name(edits: Mapping[str, float | str]) -> str:
    """What the new layer is called: ``smile +2, hat cap (Latent-Fu)``.

    What was done comes first: GIMP's list of layers shows the beginning.
    """
    parts = [_name_edit(name, value) for name, value in edits.items() if value]
    shown = ", ".join(parts[:4]) + (" ..." if len(parts) > 4 else "")
    return f"{shown} (Latent-Fu)" if shown else "Latent-Fu"


def _name_edit(name: str, value: float | str) -> str:
    if not isinstance(value, str):
        return f"{name} {value:+.3g}"
    return name if is_picture(value) else f"{name} {value.removeprefix('@')[:24]}"


FIRST_LAYERS = "4-7"
"""The network layers that a mix takes where nobody says which."""
LAYERS = "layers"
"""In place of the regions of a mix: network layers are taken."""


def read_mixed_regions(text: str) -> list[str]:
    """``"hair"`` or ``"eyes brows"`` -> names; none for ``"layers"`` or nothing.

    Raises PluginError.
    """
    if text.strip() in ("", LAYERS):
        return []
    regions = read_regions(text)
    if isinstance(regions, str):
        raise PluginError(
            _('"{name}" cannot be taken from a layer: name regions such as hair.').format(
                name=regions
            )
        )
    return regions


def name_mix(source: str, layers: tuple[int, int], regions: Sequence[str] = ()) -> str:
    """What the new layer of a mix is called, from the source layer's name."""
    if regions:
        return _("{regions} of {source} (Latent-Fu)").format(
            regions=", ".join(regions), source=source
        )
    return _("{first}-{last} of {source} (Latent-Fu)").format(
        first=layers[0], last=layers[1], source=source
    )


def name_transfer(source: str, along: Sequence[str]) -> str:
    """What the new layer of a transfer is called, from the source layer's name."""
    shown = ", ".join(along[:4]) + (" ..." if len(along) > 4 else "")
    return _("{names} like {layer} (Latent-Fu)").format(names=shown, layer=source)


def read_common_arguments(config: Any) -> dict[str, Any]:
    """The network, method and soft border in a procedure's arguments, as jobs.Work takes them.

    Raises PluginError for options that cannot be read.
    """
    return {**read_method_arguments(config), "feather": config.get_property("feather")}


def read_method_arguments(config: Any) -> dict[str, Any]:
    """The same without a border: the network, and the method with its options."""
    return {
        "generator": config.get_property("generator") or "",
        "inverter": config.get_property("inverter") or "",
        "options": parse_options(config.get_property("options") or ""),
    }
