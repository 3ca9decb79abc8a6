"""Direction files: one direction, what it means and how well it was measured, as safetensors.

The format is described in docs/direction-format.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from latentfu.core.control import Control, Mover
from latentfu.core.errors import BadInputError, LatentFuError, StorageError
from latentfu.core.latent import Space
from latentfu.storage.atomic import write_whole
from latentfu.storage.direction_checks import (
    TENSORS,
    check_direction,
    checked_normal,
    checked_values,
)

FORMAT = "latentfu-direction-1"
LARGEST_FILE = 64 << 20

_log = logging.getLogger(__name__)


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
    ``leakage``: the same for other attributes. Raises BadInputError for values that can not be.
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
        check_direction(self.vector, self.facts(), get_args(Space))
        if self.normal is not None:
            object.__setattr__(self, "normal", checked_normal(self.normal, self.vector))

    def facts(self) -> dict[str, Any]:
        """Everything but the tensors, ready for JSON."""
        names = (item.name for item in fields(self) if item.name not in TENSORS)
        return {name: getattr(self, name) for name in names}


def write_direction(path: Path | str, direction: Direction) -> Path:
    """Write ``direction`` whole or not at all; raises StorageError."""
    from safetensors.numpy import save

    metadata = {"format": FORMAT, "direction": json.dumps(direction.facts(), sort_keys=True)}
    tensors = {"vector": direction.vector}
    if direction.normal is not None:
        tensors["normal"] = direction.normal
    write_whole(Path(path), save(tensors, metadata))
    return Path(path)


def read_direction(path: Path | str) -> Direction:
    """The direction in a file; raises BadInputError in one sentence for anything else."""
    from safetensors import SafetensorError, safe_open

    facts = read_facts(Path(path))
    tensors: dict[str, npt.NDArray[Any]] = {}
    try:
        with safe_open(str(path), framework="np") as file:
            names = set(file.keys())
            for name in names & set(TENSORS):
                if 1 <= len(file.get_slice(name).get_shape()) <= 2:
                    tensors[name] = file.get_tensor(name)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise BadInputError(f"{path} can not be read as a direction: {error}.") from error
    floats = all(np.issubdtype(tensor.dtype, np.floating) for tensor in tensors.values())
    if "vector" not in tensors or names - set(tensors) or not floats:
        raise BadInputError(
            f"{path} is no direction: it must hold a tensor, vector, and perhaps a normal, of "
            f"floats."
        )
    return built(path, tensors, facts)


def read_facts(path: Path) -> dict[str, Any]:
    """The metadata of a direction file, checked, without reading its tensor."""
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInputError(f"{path} is too large for a direction.")
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"The direction {path} can not be read: {reason}.") from error
    except (SafetensorError, ValueError) as error:
        raise BadInputError(f"{path} is no whole safetensors file: {error}.") from error
    if metadata.get("format") != FORMAT:
        raise BadInputError(f"{path} is no direction file (its format is not {FORMAT}).")
    return checked_values(path, metadata.get("direction", ""), Direction)


def built(
    path: Path | str, tensors: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]
) -> Direction:
    """The direction made of a file's parts; the file is named when they do not fit."""
    try:
        values: dict[str, Any] = {**tensors, **facts}
        return Direction(**values)
    except (BadInputError, TypeError) as error:
        raise BadInputError(f"The direction {path} is not usable: {error}") from error


def directions_in(folder: Path | str, generator_id: str) -> list[Control]:
    """The directions in ``folder`` made for ``generator_id``, by file name, headers read only.

    A file that is damaged is left out and logged: one bad download must not take the others
    with it.
    """
    controls = []
    for path in sorted(Path(folder).glob("*.safetensors")):
        try:
            facts = read_facts(path)
            if facts["generator_id"] == generator_id:
                controls.append(as_control(path, facts))
        except LatentFuError as error:
            _log.warning("Left out: %s", error)
    return controls


def as_control(path: Path, facts: Mapping[str, Any]) -> Control:
    """A direction file as a slider, its tensor read when first used."""
    state = path.stat()
    own = (
        "method", "samples", "accuracy", "effect", "leakage", "attribute", "space", "absolute",
    )  # fmt: skip
    return Control(
        name=facts["name"],
        title=facts.get("title") or facts["name"].replace("_", " ").capitalize(),
        positive_means=facts.get("plus", ""),
        generator_id=facts["generator_id"],
        load=lambda: mover_of(path),
        group=facts.get("group", "other"),
        minimum=facts.get("minimum", -3.0),
        maximum=facts.get("maximum", 3.0),
        unit=facts.get("unit", "standard deviations"),
        layers=facts.get("layers"),
        author=facts.get("author", ""),
        licence=facts.get("licence", ""),
        source=facts.get("source", ""),
        facts={
            **{name: facts[name] for name in own if name in facts},
            "file": str(path),
            "version": f"{state.st_mtime_ns}-{state.st_size}",
        },
    )


def mover_of(path: Path) -> Mover:
    """The direction in a file, ready to move latents."""
    from latentfu.storage.direction_mover import DirectionEffect

    return DirectionEffect(read_direction(path))
