"""A code to begin with, found by another inverter; and what the result is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

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
    Stopwatch,
    between,
)
from torch import Tensor

from latentfu_builtin.inversion.losses import build_perceptual_loss, pyramid, stack_masks
from latentfu_builtin.inversion.vgg import Distance

_PIVOT_SHARE = 0.3
"""The part of the progress that finding the first code is."""
_NEED_A_PIVOT = ("pivotal", "feature-detail")


@dataclass(frozen=True)
class Pivot:
    """A picture ``target [1, 3, R, R]`` with the code that another inverter found for it.

    ``mask [1, 1, R, R]``: what of the picture counts; None for all of it.
    """

    generator: Generator
    target: Tensor
    first: Inversion
    loss: str
    perceptual: Distance | None
    mask: Tensor | None
    progress: Progress
    watch: Stopwatch

    def distance(self, image: Tensor, pixel: float, perceptual: float) -> Tensor:
        """The weighted distance of ``image [1, 3, R, R]`` to the target, a number."""
        if self.mask is not None:
            image = self.target + self.mask * (image - self.target)
        total = pixel * pyramid(image, self.target)[0]
        if self.perceptual is not None and perceptual > 0:
            total = total + perceptual * self.perceptual(image, self.target)[0]
        return total

    def judged(self, inversion: Inversion) -> Inversion:
        """``inversion`` with how well it shows the target, rendered with constant noise."""
        with torch.no_grad():
            image = self.generator.render(inversion.latent).float().clamp(-1, 1)
            error = float((image - self.target).square().mean())
            distance = self.perceptual or pyramid
            seen = float(distance(image, self.target)[0])
        name = self.loss if self.perceptual else "pixels"
        self.watch.lap("measure")
        parts = dict(self.watch.seconds)
        psnr = 10.0 * math.log10(4.0 / max(error, 1e-10))
        quality = Quality(psnr, seen, name, sum(parts.values()), parts=parts)
        return replace(inversion, quality=quality)


def find_pivot(
    request: InversionRequest,
    pivot: str,
    loss: str,
    told: Mapping[str, float | int | str | bool] = MappingProxyType({}),
) -> Pivot:
    """Find the first code of ``request`` by the inverter ``pivot``; raises LatentFuError.

    ``told``: options over its own, where it has them. Fewer steps are for encoders only: from
    the mean the way is longer.
    """
    watch, generator = Stopwatch(), request.generator
    inverter = choose_pivot_inverter(generator, pivot)
    name, perceptual = build_perceptual_loss(loss, generator)
    target = torch.from_numpy(request.crop.image)[None].to(generator.device)
    from_mean = inverter.options.get("start", "") == "mean"
    known = {
        key: value
        for key, value in told.items()
        if key in inverter.options and not (from_mean and key == "steps")
    }
    first = inverter.invert(
        replace(
            request,
            progress=between(request.progress, 0.0, _PIVOT_SHARE),
            options={**inverter.options, **known},
        )
    )
    watch.lap("pivot")
    mask = stack_masks([request.mask], generator.device)
    rest = between(request.progress, _PIVOT_SHARE, 1.0)
    return Pivot(generator, target, first, name, perceptual, mask, rest, watch)


def choose_pivot_inverter(generator: Generator, name: str) -> Inverter:
    """The inverter of that name; for auto an encoder's, refined, where the generator has one.

    Raises NotInstalledError for an unknown name, BadInputError for one that begins with another
    inverter itself.
    """
    installed = latentfu.inverters()
    if name == "auto":
        fitting = any(e.is_for(generator) for e in latentfu.encoders().values())
        plain = "w-plus" if "w+" in generator.spaces else "optimise"
        name = "encoder-refined" if fitting and "encoder-refined" in installed else plain
    if name in _NEED_A_PIVOT:
        raise BadInputError(f"{name} cannot be the pivot: give an inverter that finds a code.")
    if name not in installed:
        raise NotInstalledError(
            f"There is no inverter {name!r}; installed: {', '.join(installed)}."
        )
    return installed[name]
