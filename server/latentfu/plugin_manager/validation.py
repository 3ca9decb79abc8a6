"""Checking what hooks return: the type, each field as it is annotated, then the kind's own rule."""

from __future__ import annotations

import builtins
import dataclasses
import itertools
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.core.names import is_one_line
from latentfu.core.setting import Setting
from latentfu.plugin_manager.isolation import PluginFaultError
from latentfu.plugin_objects import Command, GeneratorSpec, Route, StartupTask

T = TypeVar("T")
_MOST = 10_000
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, revalidate_instances="always")
_FAULTS = {
    "string_type": "which is not text",
    "int_type": "which is not a whole number",
    "float_type": "which is not a number",
    "finite_number": "which is not a number",
    "bool_type": "which is neither True nor False",
    "callable_type": "which cannot be called",
    "dict_type": "which is not a mapping of names",
    "mapping_type": "which is not a mapping of names",
    "tuple_type": "which is not a tuple",
    "field_rule": "{fault}",
    "is_instance_of": "which is not a {class}",
    "dataclass_exact_type": "which is not a {class_name}",
    "literal_error": "which is not {expected}",
}
"""How a sentence ends, by pydantic's name for what is wrong; the braces are its context."""


def key_of(item: object) -> str:
    """The name under which a hook's object is listed.

    A command's path is joined by spaces; what has a field ``plugin`` is named with it.
    """
    if isinstance(item, Command):
        return " ".join(item.path)
    if isinstance(item, (Setting, Route, StartupTask)):
        return f"{item.plugin}.{item.name}"
    return str(getattr(item, "name", ""))


def checked_items(kind: hooks.Kind[T], returned: object) -> tuple[T, ...]:
    """What a hook returned, as a tuple.

    Raises:
        PluginFaultError: naming the hook, the object and the field of the first fault.
    """
    if returned is None or isinstance(returned, (str, bytes)) or not isinstance(returned, Iterable):
        raise PluginFaultError(f"{kind.hook} returned {_short(returned)} instead of a list")
    items = tuple(itertools.islice(returned, _MOST + 1))
    if len(items) > _MOST:
        raise PluginFaultError(f"{kind.hook} returned more than {_MOST} objects")
    seen: set[str] = set()
    for item in items:
        fault = _find_fault(kind, item)
        if fault:
            raise PluginFaultError(f"{kind.hook} returned {fault}")
        if key_of(item) in seen:
            raise PluginFaultError(f"{kind.hook} returned {key_of(item)!r} twice")
        seen.add(key_of(item))
    return items


def check_control_ids(controls: Iterable[Control], generator: GeneratorSpec) -> None:
    """Controls listed for a generator must have been made for its weights."""
    for control in controls:
        if control.generator_id != generator.id:
            raise PluginFaultError(
                f"latentfu_controls offered {control.name!r} for generator {generator.name!r}, but "
                f"it was made for other weights ({control.generator_id[:12]}): compare generator.id"
            )


def _find_fault(kind: hooks.Kind[T], item: object) -> str | None:
    if not isinstance(item, kind.cls):
        return f"{_short(item)} instead of {_a(kind.cls)}"
    for field, adapter in _adapters(kind.name).items():
        fault = _field_fault(adapter, getattr(item, field))
        if fault:
            return f"{_a(kind.cls)} with {field}{fault}"
    fault = kind.find_fault(item) if kind.find_fault else None
    return f"{_a(kind.cls)} with {fault}" if fault else None


def _field_fault(adapter: TypeAdapter[Any], value: object) -> str | None:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return _said(error.errors(include_url=False))
    texts = value if isinstance(value, tuple) else (value,)
    for text in texts:
        if isinstance(text, str) and not is_one_line(text):
            return f" = {text[:70]!r}, which has line breaks or control characters"
    return None


def _said(faults: list[ErrorDetails]) -> str:
    """The end of the sentence: where in the field, what stands there, what is wrong with it."""
    first = faults[0]
    place = f"[{first['loc'][0]!r}]" if first["loc"] else ""
    context = first.get("ctx", {})
    says = _FAULTS.get(first["type"], f"which does not fit: {first['msg']}").format(**context)
    if len(faults) > 1 and len({fault["loc"][:1] for fault in faults}) == 1:
        says = f"which is none of {', '.join(str(fault['loc'][-1]) for fault in faults)}"
    return f"{place} = {_short(first['input'])}, {says}"


@cache
def _adapters(kind: str) -> dict[str, TypeAdapter[Any]]:
    """What checks each field of a kind's objects, by the field's name."""
    cls = hooks.KINDS[kind].cls
    names = _Names(vars(sys.modules[cls.__module__]))
    return {
        field.name: TypeAdapter(eval(str(field.type), {}, names), config=_STRICT)
        for field in dataclasses.fields(cls)
    }


class _Names(dict[str, object]):
    """A module's names; what only type checkers import (torch, Generator) stands for anything.

    Such types are arguments and results of functions, which are not checked before a call.
    """

    def __missing__(self, name: str) -> object:
        return vars(builtins).get(name, _ANYTHING)


class _Anything:
    def __getattr__(self, name: str) -> _Anything:
        return self

    def __getitem__(self, key: object) -> _Anything:
        return self

    def __or__(self, other: object) -> _Anything:
        return self


_ANYTHING = _Anything()


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
