"""Direction files: one direction, what it means and how well it was measured, as safetensors.

The format is described in docs/direction-format.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from latentfu.errors import BadInputError, LatentFuError, StorageError
from latentfu.nouns.control import Control, Mover
from latentfu.nouns.latent import Space
from latentfu.store.atomic import write_whole
from latentfu.store.direction_checks import check_direction, checked_values

if TYPE_CHECKING:
    from latentfu.nouns.generator import Generator
    from latentfu.nouns.latent import Latent

FORMAT = "latentfu-direction-1"
LARGEST_FILE = 64 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction in latent space, scaled so that strength 1 adds ``vector`` once.

    ``vector``: float32 ``[w_dim]`` (the same for all layers) or ``[num_ws, w_dim]``. ``name``:
    what ``--set NAME=`` takes. ``attribute``: what the scorer calls it. ``plus``: what more of
    it means. ``generator_id``: sha256 of the weights it was made for; ``generator``: their
    name, for people. ``layers``: first and last layer it moves, None for all. ``bias``: the
    boundary's offset along the unit normal. ``accuracy``: on held-out samples, 0..1.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", np.array(self.vector, dtype=np.float32))
        object.__setattr__(self, "leakage", dict(self.leakage))
        check_direction(self.vector, self.facts(), get_args(Space))

    def facts(self) -> dict[str, Any]:
        """Everything but the vector, ready for JSON."""
        names = (item.name for item in fields(self) if item.name != "vector")
        return {name: getattr(self, name) for name in names}


def write_direction(path: Path | str, direction: Direction) -> Path:
    """Write ``direction`` whole or not at all; raises StorageError."""
    from safetensors.numpy import save

    metadata = {"format": FORMAT, "direction": json.dumps(direction.facts(), sort_keys=True)}
    write_whole(Path(path), save({"vector": direction.vector}, metadata))
    return Path(path)


def read_direction(path: Path | str) -> Direction:
    """The direction in a file; raises BadInputError in one sentence for anything else."""
    from safetensors import SafetensorError, safe_open

    facts = read_facts(Path(path))
    try:
        with safe_open(str(path), framework="np") as file:
            names = list(file.keys())
            shape = file.get_slice("vector").get_shape() if names == ["vector"] else []
            vector = file.get_tensor("vector") if 1 <= len(shape) <= 2 else None
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise BadInputError(f"{path} can not be read as a direction: {error}.") from error
    if vector is None or not np.issubdtype(vector.dtype, np.floating):
        raise BadInputError(f"{path} is no direction: it must hold one tensor, vector, of floats.")
    return built(path, vector, facts)


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


def built(path: Path | str, vector: npt.NDArray[Any], facts: Mapping[str, Any]) -> Direction:
    """The direction made of a file's parts; the file is named when they do not fit."""
    try:
        return Direction(vector=vector, **facts)
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
    own = ("method", "samples", "accuracy", "effect", "leakage", "attribute", "space")
    return Control(
        name=facts["name"],
        title=facts.get("title") or facts["name"].replace("_", " ").capitalize(),
        plus=facts.get("plus", ""),
        generator_id=facts["generator_id"],
        load=lambda: DirectionMover(read_direction(path)),
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


class DirectionMover(Mover):
    """Adds a direction to a latent, in the layers that the direction is for."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction

    def move(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """``codes + strength * vector``; raises WrongGeneratorError for a foreign generator."""
        import torch

        from latentfu.errors import WrongGeneratorError

        d = self.direction
        if d.generator_id != generator.id:
            raise WrongGeneratorError(
                f"The direction {d.name} was made for {d.generator or 'another generator'} "
                f"({d.generator_id[:12]}), not for {generator.name} ({generator.id[:12]}): "
                f"train or import one for this generator."
            )
        latent.check_generator(generator.id)
        codes = latent.codes
        vector = torch.from_numpy(d.vector).to(codes)
        self._check_fit(latent)
        if codes.ndim == 2:
            return latent.with_codes(codes + strength * vector)
        step = vector.expand(codes.shape[1:]).clone()
        if d.layers is not None:
            first, last = d.layers
            step[:first] = 0.0
            step[last + 1 :] = 0.0
        return latent.with_codes(codes + strength * step)

    def _check_fit(self, latent: Latent) -> None:
        """Refuse a latent that the vector can not be added to (raises BadInputError)."""
        d, shape = self.direction, tuple(latent.codes.shape[1:])
        same = (d.space == "z") == (latent.space == "z")
        last = d.layers[1] if d.layers is not None and len(shape) == 2 else 0
        if not same or d.vector.shape not in (shape, shape[-1:]) or last >= shape[0]:
            raise BadInputError(
                f"The direction {d.name} is for {d.space} {list(d.vector.shape)}; the latent is "
                f"{latent.space} {list(shape)}: use an inverter that works in {d.space}."
            )
