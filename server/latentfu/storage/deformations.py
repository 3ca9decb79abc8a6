"""Deformation: a shift of one convolution's weights, what it means, and its file."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.control import Control, ControlEffect
from latentfu.core.errors import BadInputError, LatentFuError, WrongGeneratorError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent, WeightOffset
from latentfu.storage.atomic import write_whole
from latentfu.storage.safetensors_file import read_arrays, read_metadata

_FORMAT = "latentfu-deformation-1"
_LARGEST_FILE = 256 << 20
PUBLISHED = "published"
"""The method of a deformation that others found."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Deformation:
    """A shift that is added to the weights ``parameter`` as often as the strength says.

    ``shift``: float32 ``[out, in, k, k]``; strength 1 adds it once, -1 takes it away, and what
    lies between -1 and 1 is the sensible range. ``name``: what ``--set NAME=`` takes. ``layer``:
    the number of the synthesis layer that ``parameter`` belongs to. ``generator_id``: sha256
    of the weights it was found on. ``effect``: measured change of each attribute by strength 1,
    in the attribute's standard deviations. ``beyond``: the share of the pictures' change that no
    installed direction makes (0..1; -1 where it was not measured).
    ``method`` "published" keeps the file in single precision. Raises BadInputError for values that
    cannot be. Cherepkov et al. 2021 (arXiv 2011.13786).
    """

    shift: npt.NDArray[np.float32]
    parameter: str
    layer: int
    name: str
    generator_id: str
    title: str = ""
    plus: str = ""
    group: str = "deformations"
    generator: str = ""
    method: str = ""
    samples: int = 0
    effect: Mapping[str, float] = field(default_factory=dict)
    beyond: float = -1.0
    author: str = ""
    licence: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        shift = np.ascontiguousarray(self.shift, dtype=np.float32)
        object.__setattr__(self, "shift", shift)
        object.__setattr__(self, "effect", dict(self.effect))
        if shift.ndim != 4 or shift.size == 0:
            raise BadInputError(
                f"A deformation has the shape [out, in, k, k], not {list(shift.shape)}."
            )
        if not np.isfinite(shift).all() or not shift.any():
            raise BadInputError(f"The deformation {self.name} holds no usable numbers.")
        if not self.name or not self.parameter or self.layer < 0:
            raise BadInputError("A deformation needs a name, a parameter and a layer.")

    @property
    def norm(self) -> float:
        """Euclidean norm of the shift over the whole kernel."""
        return float(np.linalg.norm(self.shift))

    def named(self, name: str, plus: str = "") -> Deformation:
        """The same shift under another name, with what a positive strength means."""
        return replace(self, name=name, title="", plus=plus or self.plus)

    def metadata(self) -> dict[str, Any]:
        """Everything but the shift, ready for JSON."""
        return {key: value for key, value in asdict(self).items() if key != "shift"}


def write_deformation(path: Path, deformation: Deformation) -> Path:
    """Write ``deformation`` whole or not at all; raises StorageError.

    In half precision, published ones in single: what they draw is compared with the authors'.
    """
    from safetensors.numpy import save

    scale = float(np.abs(deformation.shift).max())
    kind = np.float32 if deformation.method == PUBLISHED else np.float16
    # Half precision relative to the largest number: shifts may be far outside its own range.
    tensors: dict[str, npt.NDArray[Any]] = {
        "shift": (deformation.shift / np.float32(scale)).astype(kind),
        "scale": np.array([scale], dtype=np.float32),
    }
    facts = json.dumps(deformation.metadata(), sort_keys=True)
    write_whole(path, save(tensors, {"format": _FORMAT, "deformation": facts}))
    return path


def _read_deformation_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a deformation file without its tensor; BadInputError for other files."""
    metadata = read_metadata(path, _LARGEST_FILE)
    if metadata.get("format") != _FORMAT:
        raise BadInputError(f"{path} is not a deformation file (its format is not {_FORMAT}).")
    return _check_metadata(path, metadata.get("deformation", ""))


def is_deformation_file(path: Path) -> bool:
    """Whether a file says that it is one; its numbers may be damaged all the same."""
    try:
        return read_metadata(path, _LARGEST_FILE).get("format") == _FORMAT
    except LatentFuError:
        return False


def _check_metadata(path: Path, text: str) -> dict[str, Any]:
    """The facts of a file if they are of the right names and types."""
    kinds = {"layer": int, "samples": int, "effect": dict, "beyond": float}
    names = {item.name for item in fields(Deformation)} - {"shift"}
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise BadInputError(f"{path} has damaged facts: {error}.") from error
    if not isinstance(facts, dict) or not {"name", "parameter", "layer", "generator_id"} <= set(
        facts
    ):
        raise BadInputError(f"{path} lacks the name, parameter, layer or generator_id.")
    for key, value in facts.items():
        if key not in names or not isinstance(value, kinds.get(key, str)):
            raise BadInputError(f"{path} has {key} = {value!r}, which no deformation has.")
    return facts


def read_deformation(path: Path) -> Deformation:
    """The deformation in a file; BadInputError in one sentence for anything else."""
    facts = _read_deformation_metadata(path)
    tensors = read_arrays(path, _LARGEST_FILE)
    if sorted(tensors) != ["scale", "shift"]:
        raise BadInputError(f"{path} must hold two tensors, shift and scale.")
    try:
        shift = tensors["shift"].astype(np.float32)
        scale = float(tensors["scale"][0])
    except (ValueError, TypeError, IndexError) as error:
        raise BadInputError(f"{path} cannot be read as a deformation: {error}.") from error
    try:
        return Deformation(shift=shift * scale, **facts)
    except BadInputError as error:
        raise BadInputError(f"The deformation {path} is not usable: {error}") from error


class DeformationEffect(ControlEffect):
    """Hangs the deformation on the latent as a bend; the generator keeps its weights."""

    def __init__(self, deformation: Deformation) -> None:
        import torch

        self.deformation = deformation
        self._shift = torch.from_numpy(deformation.shift)

    def apply(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """``latent`` with one more bend; raises WrongGeneratorError for a foreign generator."""
        d = self.deformation
        _check_fit(d, generator)
        bend = WeightOffset(d.parameter, self._shift.to(generator.device), strength)
        return replace(latent, bends=(*latent.bends, bend))


def _check_fit(deformation: Deformation, generator: Generator) -> None:
    """Refuse a deformation that is for other weights or another layer, in one sentence."""
    d = deformation
    if d.generator_id != generator.id:
        raise WrongGeneratorError(
            f"The deformation {d.name} was found on {d.generator or 'another generator'} "
            f"({d.generator_id[:12]}), not on {generator.name} ({generator.id[:12]})."
        )
    shape = tuple(generator.parameter(d.parameter).shape)
    if shape != d.shift.shape:
        raise BadInputError(
            f"The deformation {d.name} has the shape {list(d.shift.shape)}; {d.parameter} of "
            f"{generator.name} has {list(shape)}."
        )


def deformations_in(folder: Path | str, generator_id: str) -> list[Control]:
    """The deformations in ``folder`` found on ``generator_id``; damaged files are logged."""
    controls = []
    for path in sorted(Path(folder).glob("*.safetensors")):
        try:
            facts = _read_deformation_metadata(path)
            if facts["generator_id"] == generator_id:
                controls.append(_as_control(path, facts))
        except LatentFuError as error:
            _log.warning("Left out: %s", error)
    return controls


def _as_control(path: Path, facts: dict[str, Any]) -> Control:
    """A deformation file as a slider, its tensor read when first used."""
    state = path.stat()
    return Control(
        name=facts["name"],
        title=facts.get("title") or facts["name"].replace("_", " ").capitalize(),
        positive_means=facts.get("plus", ""),
        generator_id=facts["generator_id"],
        load=lambda: DeformationEffect(read_deformation(path)),
        kind="deformation",
        group=facts.get("group", "deformations"),
        minimum=-1.0,
        maximum=1.0,
        unit="units of its own size",
        author=facts.get("author", ""),
        licence=facts.get("licence", ""),
        source=facts.get("source", ""),
        facts={
            "layer": facts["layer"],
            "method": facts.get("method", ""),
            "effect": facts.get("effect", {}),
            "beyond": facts.get("beyond", -1.0),
            "file": str(path),
            "version": f"{state.st_mtime_ns}-{state.st_size}",
        },
    )
