"""What a direction must be like: sizes, numbers, names. All refusals are one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError
from latentfu.core.names import is_name, is_one_line, is_sha256

_TEXTS = (
    "space", "name", "title", "attribute", "plus", "group", "generator_id", "generator",
    "family", "unit", "method", "author", "licence", "source", "parameter",
)  # fmt: skip
_NUMBERS = ("minimum", "maximum", "bias")
_MAYBE_NUMBERS = ("accuracy", "effect")
TENSORS = ("vector", "normal")
LONGEST_TEXT = 2000
MOST_LEAKS = 1000


def checked_values(path: Path, text: str, kind: type) -> dict[str, Any]:
    """The JSON object ``text`` with only the fields of ``kind``, their types checked."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The metadata of {path} is no JSON: {error}.") from error
    known = {item.name for item in fields(kind)} - set(TENSORS)
    if not isinstance(values, dict) or not {"space", "name", "generator_id"} <= set(values):
        raise BadInputError(f"The metadata of {path} lacks space, name or generator_id.")
    values = {name: value for name, value in values.items() if name in known}
    if isinstance(values.get("layers"), list):
        values["layers"] = tuple(values["layers"])
    try:
        check_facts(values)
    except BadInputError as error:
        raise BadInputError(f"The direction {path} is not usable: {error}") from error
    return values


def check_direction(
    vector: npt.NDArray[np.float32], facts: Mapping[str, Any], spaces: tuple[str, ...]
) -> None:
    """Refuse a direction that can not be applied (raises BadInputError)."""
    if facts["space"] not in spaces:
        raise BadInputError(f"Its space is {facts['space']!r}, not one of {', '.join(spaces)}.")
    if vector.ndim not in (1, 2) or vector.size == 0 or max(vector.shape) > 65536:
        raise BadInputError(f"Its vector is {list(vector.shape)}, not [w_dim] or [num_ws, w_dim].")
    if not np.isfinite(vector).all():
        raise BadInputError("Its vector holds values that are no numbers.")
    if not vector.any():
        raise BadInputError("Its vector is zero.")
    check_facts(facts)


def checked_normal(
    normal: npt.NDArray[np.float32], vector: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The normal as float32 of unit length; BadInputError when the vector does not cross it."""
    wide = np.asarray(normal, dtype=np.float64)
    if wide.shape != vector.shape or not np.isfinite(wide).all() or not wide.any():
        raise BadInputError("Its normal is not finite, or not of the vector's shape.")
    wide = wide / np.linalg.norm(wide)
    if not float((wide * vector).sum()) > 1e-9 * float(np.linalg.norm(vector)):
        raise BadInputError("Its normal does not point where its vector goes.")
    return wide.astype(np.float32)


def check_facts(facts: Mapping[str, Any]) -> None:
    """Refuse wrong types, names and ranges (raises BadInputError)."""
    for name in _TEXTS:
        check_text(name, facts.get(name, ""))
    for name in _NUMBERS:
        check_number(name, facts.get(name, 0.0))
    for name in _MAYBE_NUMBERS:
        if facts.get(name) is not None:
            check_number(name, facts[name])
    if not is_name(facts["name"]):
        raise BadInputError(f"Its name {facts['name'][:70]!r} may only have a-z 0-9 . _ -.")
    if not is_sha256(facts["generator_id"]):
        raise BadInputError("Its generator_id is no sha256 in hex.")
    if not facts.get("minimum", -3.0) < facts.get("maximum", 3.0):
        raise BadInputError("Its minimum is not below its maximum.")
    if not isinstance(facts.get("absolute", False), bool):
        raise BadInputError("Its absolute is neither true nor false.")
    check_samples(facts.get("samples", 0))
    check_layers(facts.get("layers"))
    check_leakage(facts.get("leakage", {}))


def check_text(name: str, value: object) -> None:
    """One line of text of a sensible length."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not is_one_line(value):
        raise BadInputError(f"Its {name} is not one line of text.")


def check_number(name: str, value: object) -> None:
    """A finite number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value):  # type: ignore[arg-type]
        raise BadInputError(f"Its {name} is no finite number.")


def check_samples(value: object) -> None:
    """A count."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInputError("Its samples is no count.")


def check_layers(value: object) -> None:
    """None or (first, last)."""
    if value is None:
        return
    whole = isinstance(value, tuple) and all(type(item) is int for item in value)
    if not whole or len(value) != 2 or not 0 <= value[0] <= value[1] < 1000:  # type: ignore
        raise BadInputError("Its layers are no pair (first, last).")


def check_leakage(value: object) -> None:
    """Attribute names and finite numbers."""
    if not isinstance(value, Mapping) or len(value) > MOST_LEAKS:
        raise BadInputError("Its leakage is no table of attributes.")
    for name, amount in value.items():
        check_text("leakage's attribute", name)
        check_number(f"leakage on {name}", amount)
