"""Direction files: one direction, what it means and how well it was measured, as safetensors.

The format is described in docs/reference/direction-format.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError
from latentfu.core.latent import Space
from latentfu.core.names import is_name, is_one_line, is_sha256
from latentfu.storage.atomic import write_whole
from latentfu.storage.safetensors_file import read_arrays, read_metadata

FORMAT = "latentfu-direction-1"
LARGEST_FILE = 64 << 20
_TEXTS = (
    "space", "name", "title", "attribute", "plus", "group", "generator_id", "generator",
    "family", "unit", "method", "author", "licence", "source", "parameter",
)  # fmt: skip
_NUMBERS = ("minimum", "maximum", "bias")
_MAYBE_NUMBERS = ("accuracy", "effect")
TENSORS = ("vector", "normal")
_LONGEST_TEXT = 2000
_MOST_LEAKS = 1000


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction in latent space, scaled so that strength 1 adds ``vector`` once.

    ``vector``: float32 ``[w_dim]`` (the same for all layers) or ``[num_ws, w_dim]``; with
    ``parameter`` (a weight's name) it is added to that weight instead of the code. ``normal``:
    of unit length and the vector's shape, where reading the amount off a code takes another
    direction than moving it does; None for the vector's own. ``name``: what ``--set NAME=``
    takes. ``attribute``: what the scorer calls it. ``plus``: what more of
    it means. ``generator_id``: sha256 of the weights it was made for; ``generator``: their
    name and ``family``: what sort of network they are of, both for people. ``layers``: first and
    last layer it moves, None for all. ``bias``: the boundary's offset along the unit normal, so
    that the boundary is where the amount is 0.
    ``absolute``: a strength is the amount to be reached, not a step. ``accuracy``: on held-out
    samples, 0..1.
    ``effect``: measured change of the attribute by strength 1, in its standard deviations;
    ``leakage``: the same for other attributes. Raises BadInputError for values that cannot be.
    """

    vector: npt.NDArray[np.float32]
    space: Space
    name: str
    generator_id: str
    title: str = ""
    attribute: str = ""
    plus: str = ""
    group: str = "other"
    generator: str = ""
    family: str = ""
    layers: tuple[int, int] | None = None
    unit: str = "standard deviations"
    minimum: float = -3.0
    maximum: float = 3.0
    bias: float = 0.0
    method: str = ""
    samples: int = 0
    accuracy: float | None = None
    effect: float | None = None
    leakage: Mapping[str, float] = field(default_factory=dict)
    author: str = ""
    licence: str = ""
    source: str = ""
    absolute: bool = False
    parameter: str = ""
    normal: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", np.array(self.vector, dtype=np.float32))
        object.__setattr__(self, "leakage", dict(self.leakage))
        _check_direction(self.vector, self.facts(), get_args(Space))
        if self.normal is not None:
            object.__setattr__(self, "normal", _unit_normal(self.normal, self.vector))

    def facts(self) -> dict[str, Any]:
        """Everything but the tensors, ready for JSON.

        Returns:
            The fields by name; a direction file holds them as its metadata.
        """
        names = (item.name for item in fields(self) if item.name not in TENSORS)
        return {name: getattr(self, name) for name in names}


def write_direction(path: Path | str, direction: Direction) -> Path:
    """Write a direction file whole, or not at all.

    Args:
        path: where it goes; a file there is replaced.
        direction: checked before anything is written.

    Returns:
        The path.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    from safetensors.numpy import save

    metadata = {"format": FORMAT, "direction": json.dumps(direction.facts(), sort_keys=True)}
    tensors = {"vector": direction.vector}
    if direction.normal is not None:
        tensors["normal"] = direction.normal
    write_whole(Path(path), save(tensors, metadata))
    return Path(path)


def read_direction(path: Path | str) -> Direction:
    """The direction in a file.

    Args:
        path: a direction file of this project.

    Returns:
        The direction with its tensors.

    Raises:
        BadInputError: it is anything else, or damaged; the sentence says what.
    """
    path = Path(path)
    metadata = read_direction_metadata(path)
    tensors = read_arrays(path, LARGEST_FILE)
    floats = all(np.issubdtype(tensor.dtype, np.floating) for tensor in tensors.values())
    if "vector" not in tensors or set(tensors) - set(TENSORS) or not floats:
        raise BadInputError(
            f"{path} is not a direction: it must hold a tensor, vector, and perhaps a normal, of "
            f"floats."
        )
    try:
        values: dict[str, Any] = {**tensors, **metadata}
        return Direction(**values)
    except (BadInputError, TypeError) as error:
        raise BadInputError(f"The direction {path} is not usable: {error}") from error


def read_direction_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a direction file, checked, without reading its tensor."""
    metadata = read_metadata(path, LARGEST_FILE)
    if metadata.get("format") != FORMAT:
        raise BadInputError(f"{path} is not a direction file (its format is not {FORMAT}).")
    return _parse_metadata(path, metadata.get("direction", ""), Direction)


def _parse_metadata(path: Path, text: str, kind: type) -> dict[str, Any]:
    """The JSON object ``text`` with only the fields of ``kind``, their types checked."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The metadata of {path} is not a JSON: {error}.") from error
    known = {item.name for item in fields(kind)} - set(TENSORS)
    if not isinstance(values, dict) or not {"space", "name", "generator_id"} <= set(values):
        raise BadInputError(f"The metadata of {path} lacks space, name or generator_id.")
    values = {name: value for name, value in values.items() if name in known}
    if isinstance(values.get("layers"), list):
        values["layers"] = tuple(values["layers"])
    try:
        _check_metadata(values)
    except BadInputError as error:
        raise BadInputError(f"The direction {path} is not usable: {error}") from error
    return values


def _check_direction(
    vector: npt.NDArray[np.float32], facts: Mapping[str, Any], spaces: tuple[str, ...]
) -> None:
    """Refuse a direction that cannot be applied (raises BadInputError)."""
    if facts["space"] not in spaces:
        raise BadInputError(f"Its space is {facts['space']!r}, not one of {', '.join(spaces)}.")
    if vector.ndim not in (1, 2) or vector.size == 0 or max(vector.shape) > 65536:
        raise BadInputError(f"Its vector is {list(vector.shape)}, not [w_dim] or [num_ws, w_dim].")
    if not np.isfinite(vector).all():
        raise BadInputError("Its vector holds values that are no numbers.")
    if not vector.any():
        raise BadInputError("Its vector is zero.")
    _check_metadata(facts)


def _unit_normal(
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


def _check_metadata(facts: Mapping[str, Any]) -> None:
    """Refuse wrong types, names and ranges (raises BadInputError)."""
    for name in _TEXTS:
        _check_text(name, facts.get(name, ""))
    for name in _NUMBERS:
        _check_number(name, facts.get(name, 0.0))
    for name in _MAYBE_NUMBERS:
        if facts.get(name) is not None:
            _check_number(name, facts[name])
    if not is_name(facts["name"]):
        raise BadInputError(f"Its name {facts['name'][:70]!r} may only have a-z 0-9 . _ -.")
    if not is_sha256(facts["generator_id"]):
        raise BadInputError("Its generator_id is not a sha256 in hex.")
    if not facts.get("minimum", -3.0) < facts.get("maximum", 3.0):
        raise BadInputError("Its minimum is not below its maximum.")
    if not isinstance(facts.get("absolute", False), bool):
        raise BadInputError("Its absolute is neither true nor false.")
    _check_samples(facts.get("samples", 0))
    _check_layers(facts.get("layers"))
    _check_leakage(facts.get("leakage", {}))


def _check_text(name: str, value: object) -> None:
    """One line of text of a sensible length."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not is_one_line(value):
        raise BadInputError(f"Its {name} is not one line of text.")


def _check_number(name: str, value: object) -> None:
    """A finite number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        finite = number and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # a whole number beyond all floats
        finite = False
    if not finite:
        raise BadInputError(f"Its {name} is not a finite number.")


def _check_samples(value: object) -> None:
    """A count."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInputError("Its samples is no count.")


def _check_layers(value: object) -> None:
    """None or (first, last)."""
    if value is None:
        return
    whole = isinstance(value, tuple) and all(type(item) is int for item in value)
    if not whole or len(value) != 2 or not 0 <= value[0] <= value[1] < 1000:  # type: ignore
        raise BadInputError("Its layers are no pair (first, last).")


def _check_leakage(value: object) -> None:
    """Attribute names and finite numbers."""
    if not isinstance(value, Mapping) or len(value) > _MOST_LEAKS:
        raise BadInputError("Its leakage is not a table of attributes.")
    for name, amount in value.items():
        _check_text("leakage's attribute", name)
        _check_number(f"leakage on {name}", amount)
