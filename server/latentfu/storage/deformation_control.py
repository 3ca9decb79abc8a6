"""Deformations as sliders, in the same list as directions."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentfu.core.control import Control, ControlEffect
from latentfu.core.errors import BadInputError, LatentFuError, WrongGeneratorError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent, WeightOffset
from latentfu.storage.deformations import (
    Deformation,
    read_deformation,
    read_deformation_metadata,
)

_log = logging.getLogger(__name__)


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
            facts = read_deformation_metadata(path)
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
