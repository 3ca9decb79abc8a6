"""A code to begin with, found by another inverter; and what the result is judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import latentfu
import torch
from latentfu import (
    BadInputError,
    Generator,
    Inversion,
    InversionRequest,
    Inverter,
    NotInstalledError,
    Progress,
    Quality,
    between,
)
from torch import Tensor

from latentfu_inversion.losses import Distance, perceptual_loss, pyramid

SHARE = 0.3
"""The part of the progress that finding the first code is."""
BUILT_ON_ANOTHER = ("pivotal", "feature-detail")


@dataclass(frozen=True)
class Begun:
    """A picture ``target [1, 3, R, R]`` with the code that another inverter found for it."""

    generator: Generator
    target: Tensor
    first: Inversion
    loss: str
    perceptual: Distance | None
    progress: Progress

    def quality(self, inversion: Inversion, seconds: float) -> Quality:
        """How well ``inversion`` shows the target, rendered with constant noise."""
        with torch.no_grad():
            image = self.generator.render(inversion.latent).float().clamp(-1, 1)
            error = float((image - self.target).square().mean())
            distance = self.perceptual or pyramid
            seen = float(distance(image, self.target)[0])
        name = self.loss if self.perceptual else "pixels"
        return Quality(10.0 * math.log10(4.0 / max(error, 1e-10)), seen, name, seconds)


def begin(request: InversionRequest, pivot: str, loss: str) -> Begun:
    """Find the first code of ``request`` by the inverter ``pivot``; raises LatentFuError."""
    generator = request.generator
    inverter = chosen(generator, pivot)
    name, perceptual = perceptual_loss(loss, generator)
    target = torch.from_numpy(request.crop.image)[None].to(generator.device)
    first = inverter.invert(
        replace(
            request,
            progress=between(request.progress, 0.0, SHARE),
            options=inverter.options,
        )
    )
    rest = between(request.progress, SHARE, 1.0)
    return Begun(generator, target, first, name, perceptual, rest)


def chosen(generator: Generator, name: str) -> Inverter:
    """The inverter of that name; for auto an encoder's, refined, where the generator has one.

    Raises NotInstalledError for an unknown name, BadInputError for one that begins with another
    inverter itself.
    """
    installed = latentfu.inverters()
    if name == "auto":
        fitting = any(e.generator_id == generator.id for e in latentfu.encoders().values())
        name = "encoder-refined" if fitting and "encoder-refined" in installed else "w-plus"
    if name in BUILT_ON_ANOTHER:
        raise BadInputError(f"{name} can not be the pivot: give an inverter that finds a code.")
    if name not in installed:
        raise NotInstalledError(
            f"There is no inverter {name!r}; installed: {', '.join(installed)}."
        )
    return installed[name]
