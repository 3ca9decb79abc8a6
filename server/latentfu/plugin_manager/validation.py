"""Checking what hooks return: type, then each field by its annotation, then the words' own laws."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping

from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.plugin_manager.isolation import PluginFaultError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOST = 10_000

TYPES: dict[hooks.Kind, type] = {
    "generators": hooks.GeneratorSpec,
    "checkpoint_formats": hooks.CheckpointFormat,
    "aligners": hooks.Aligner,
    "losses": hooks.Loss,
    "inverters": hooks.Inverter,
    "encoders": hooks.Encoder,
    "scorers": hooks.Scorer,
    "identities": hooks.Identity,
    "controls": Control,
    "control_makers": hooks.ControlMaker,
    "commands": hooks.Command,
    "build_steps": hooks.BuildStep,
    "public_networks": hooks.PublicNetwork,
}


def key_of(item: object) -> str:
    """The name under which a hook's object is listed (a command's path joined by spaces)."""
    if isinstance(item, hooks.Command):
        return " ".join(item.path)
    return str(getattr(item, "name", ""))


def checked_items(kind: hooks.Kind, returned: object) -> tuple[object, ...]:
    """What a hook returned, as a tuple; raises PluginFaultError naming the first fault."""
    hook = f"latentfu_{kind}"
    if returned is None or isinstance(returned, (str, bytes)) or not isinstance(returned, Iterable):
        raise PluginFaultError(f"{hook} returned {_short(returned)} instead of a list")
    items = tuple(itertools.islice(returned, _MOST + 1))
    if len(items) > _MOST:
        raise PluginFaultError(f"{hook} returned more than {_MOST} objects")
    seen: set[str] = set()
    for item in items:
        fault = _item_fault(kind, item)
        if fault:
            raise PluginFaultError(f"{hook} returned {fault}")
        if key_of(item) in seen:
            raise PluginFaultError(f"{hook} returned {key_of(item)!r} twice")
        seen.add(key_of(item))
    return items


def check_control_ids(controls: Iterable[Control], generator: hooks.GeneratorSpec) -> None:
    """Controls listed for a generator must have been made for its weights."""
    for control in controls:
        if control.generator_id != generator.id:
            raise PluginFaultError(
                f"latentfu_controls offered {control.name!r} for generator {generator.name!r}, but "
                f"it was made for other weights ({control.generator_id[:12]}): compare generator.id"
            )


def _item_fault(kind: hooks.Kind, item: object) -> str | None:
    wanted = TYPES[kind]
    if not isinstance(item, wanted) or not dataclasses.is_dataclass(item):
        return f"{_short(item)} instead of {_a(wanted)}"
    label = f"{_a(wanted)} with"
    for spec in dataclasses.fields(item):
        fault = _value_fault(str(spec.type), getattr(item, spec.name))
        if fault:
            return f"{label} {spec.name} {fault}"
    fault = _law_fault(item)
    return f"{label} {fault}" if fault else None


def _law_fault(item: object) -> str | None:
    """What the annotations can not say: names, ids, ranges."""
    names = item.path if isinstance(item, hooks.Command) else (key_of(item),)
    for name in names or ("",):
        if not NAME.fullmatch(name):
            return f"the name {name!r} (allowed: a-z 0-9 . _ -, at most 64)"
    if isinstance(item, hooks.GeneratorSpec):
        if not _ID.fullmatch(item.id):
            return f"the id {item.id[:70]!r}, which is no sha256 in hex"
        if not 1 <= item.resolution <= 16384:
            return f"the resolution {item.resolution}"
    if isinstance(item, (Control, hooks.Encoder)) and not _ID.fullmatch(item.generator_id):
        return f"the generator_id {item.generator_id[:70]!r}, which is no sha256 in hex"
    if isinstance(item, Control) and not item.minimum < item.maximum:
        return f"the range {item.minimum}..{item.maximum}"
    return _network_fault(item) or _levels_fault(item)


def _network_fault(network: object) -> str | None:
    if not isinstance(network, hooks.PublicNetwork):
        return None
    if not _FILE.fullmatch(network.file):
        return f"the file {network.file!r}, which is no plain name"
    if network.sha256 and not _ID.fullmatch(network.sha256):
        return f"the sha256 {network.sha256[:70]!r}, which is no sha256 in hex"
    if network.address and not network.address.startswith(("https://", "http://")):
        return f"the address {network.address!r}, which is neither https nor http"
    return None


def _levels_fault(inverter: object) -> str | None:
    if not isinstance(inverter, hooks.Inverter):
        return None
    for name, level in inverter.levels.items():
        if name not in hooks.QUALITIES:
            return f"the level {name!r} (there are: {', '.join(hooks.QUALITIES)})"
        if not isinstance(level, hooks.Level):
            return f"{_short(level)} as the level {name} instead of a Level"
        unknown = sorted(set(level.options) - set(inverter.options))
        if unknown:
            return f"the level {name} that sets {unknown[0]!r}, which is not among its options"
    return None


def _text_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return f"= {_short(value)}, which is no text"
    if _CONTROL_CHARACTER.search(value):
        return f"= {value[:70]!r}, which has line breaks or control characters"
    return None


def _whole_fault(value: object) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return None if whole else f"= {_short(value)}, which is no whole number"


def _bool_fault(value: object) -> str | None:
    return (
        None if isinstance(value, bool) else f"= {_short(value)}, which is neither True nor False"
    )


def _number_fault(value: object) -> str | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if number and math.isfinite(value) else f"= {_short(value)}, which is no number"  # type: ignore[arg-type]


def _callable_fault(value: object) -> str | None:
    return None if callable(value) else f"= {_short(value)}, which can not be called"


def _mapping_fault(value: object) -> str | None:
    named = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    return None if named else f"= {_short(value)}, which is no mapping of names"


def _texts_fault(value: object) -> str | None:
    if not isinstance(value, tuple):
        return f"= {_short(value)}, which is no tuple"
    return next((fault for fault in map(_text_fault, value) if fault), None)


def _layers_fault(value: object) -> str | None:
    if value is None:
        return None
    pair = isinstance(value, tuple) and len(value) == 2
    right = pair and not any(map(_whole_fault, value)) and 0 <= value[0] <= value[1]  # type: ignore
    return None if right else f"= {_short(value)}, which is no pair (first, last)"


def _space_fault(value: object) -> str | None:
    return None if value in ("z", "w", "w+", "w++") else f"= {_short(value)}, which is no space"


def _padding_fault(value: object) -> str | None:
    return None if value in ("mirror", "blur") else f"= {_short(value)}, neither mirror nor blur"


def _kind_fault(value: object) -> str | None:
    known = value in ("direction", "deformation")
    return None if known else f"= {_short(value)}, which is neither direction nor deformation"


_CHECKS: tuple[tuple[str, Callable[[object], str | None]], ...] = (
    ("str", _text_fault),
    ("int", _whole_fault),
    ("float", _number_fault),
    ("bool", _bool_fault),
    ("Callable", _callable_fault),
    ("Mapping", _mapping_fault),
    ("tuple[str", _texts_fault),
    ("tuple[int, int] | None", _layers_fault),
    ("Literal['z'", _space_fault),
    ('Literal["z"', _space_fault),
    ("Literal['mirror", _padding_fault),
    ('Literal["mirror', _padding_fault),
    ("Literal['direction", _kind_fault),
    ('Literal["direction', _kind_fault),
)


def _value_fault(annotation: str, value: object) -> str | None:
    for start, check in _CHECKS:
        if annotation.startswith(start):
            return None if value is None and annotation.endswith("| None") else check(value)
    raise AssertionError(f"no check for fields of type {annotation}")


def _a(wanted: type) -> str:
    name = wanted.__name__
    return f"an {name}" if name[0] in "AEIO" else f"a {name}"


def _short(value: object) -> str:
    """A value for a sentence: its repr may raise, be endless or hold line breaks."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."
